# Forks short-lived children as fast as it can, each of which leaves a child of its own behind, until SIGUSR2; SIGTERM ends it.
my $stop = 0;
$SIG{USR2} = sub { $stop = 1 };
$SIG{TERM} = sub { exit 21 };
$| = 1;
my $count = 0;
until ($stop) {
    for (1 .. 20) {
        if (!fork) { fork; exit 3 }
        $count++;
    }
    1 while waitpid(-1, 1) > 0;
    print "forked $count\n" if $count % 1000 == 0;
}
1 while wait > 0;
print "quiet\n";
sleep 1 while 1;
