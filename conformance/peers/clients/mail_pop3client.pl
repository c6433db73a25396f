# Perl's Mail::POP3Client: fetches and deletes every message.     mail_pop3client.pl HOST PORT USER PASSWORD DIR
use strict;
use warnings;
use Mail::POP3Client;

my ($host, $port, $user, $password, $dir) = @ARGV;
my $box = Mail::POP3Client->new(HOST => $host, PORT => $port, USER => $user, PASSWORD => $password,
    AUTH_MODE => 'PASS', TIMEOUT => 60);
my $count = $box->Count;
die "no login: " . ($box->Message // '') . "\n" if !defined $count || $count < 0;
$box->Uidl;
for my $number (1 .. $count) {
    my $message = $box->HeadAndBody($number);
    die "no message\n" if !defined $message || $message eq '';
    open my $file, '>:raw', "$dir/$number" or die "$!\n";
    print $file $message or die "$!\n";
    close $file or die "$!\n";
    $box->Delete($number) or die "not deleted\n";
}
$box->Close or die "no goodbye\n";
