# Ruby's net-pop: fetches and deletes every message.     net_pop.rb HOST PORT USER PASSWORD DIR
require 'net/pop'

host, port, user, password, dir = ARGV
box = Net::POP3.new(host, port.to_i)
box.start(user, password)
box.mails.each do |mail|
  # A server need not know UIDL and TOP.
  begin
    mail.unique_id
    mail.top(0)
  rescue Net::POPError
  end
  File.binwrite("#{dir}/#{mail.number}", mail.pop)
  mail.delete
end
box.finish
