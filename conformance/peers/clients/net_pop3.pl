# Perl's Net::POP3 (libnet): fetches and deletes every message.     net_pop3.pl HOST PORT USER PASSWORD DIR
use strict;
use warnings;
use Net::POP3;

my ($host, $port, $user, $password, $dir) = @ARGV;
my $box = Net::POP3->new($host, Port => $port, Timeout => 60) or die "no connection\n";
$box->capa;
# The number of messages, or undef.
defined $box->login($user, $password) or die "no login\n";
$box->uidl; # A server need not know it, nor TOP.
my $list = $box->list or die "no list\n";
for my $number (sort { $a <=> $b } keys %$list) {
    $box->top($number, 0);
    my $lines = $box->get($number) or die "no message\n";
    open my $file, '>:raw', "$dir/$number" or die "$!\n";
    print $file @$lines or die "$!\n";
    close $file or die "$!\n";
    $box->delete($number) or die "not deleted\n";
}
$box->quit or die "no goodbye\n";
