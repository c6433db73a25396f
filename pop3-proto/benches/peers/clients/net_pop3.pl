# RETR of one message with Perl's Net::POP3: net_pop3.pl PORT MESSAGE. Prints the seconds of RETR.
use strict;
use warnings;
use Net::POP3;
use Time::HiRes 'time';

my ($port, $message) = @ARGV;
my $pop = Net::POP3->new('127.0.0.1', Port => $port) or die 'no connection';
defined $pop->login('mrose', 'tanstaaf') or die 'no login';
my $began = time;
$pop->get($message) or die 'no message';
print time - $began, "\n";
$pop->quit;
