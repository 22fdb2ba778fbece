# Makes ARGV[0] orphans that end at once, prints "done", and exits with ARGV[1] when it is told to by SIGUSR2.
use strict;
my ($count, $code) = @ARGV;
$| = 1;
$SIG{USR2} = sub { exit $code };
my $middle = fork;
if (!$middle) {
  for (1 .. $count) { my $pid = fork; exit $_ & 255 if defined $pid && !$pid; }
  exit 0;
}
waitpid $middle, 0;
print "done $?\n";
sleep 1 while 1;
