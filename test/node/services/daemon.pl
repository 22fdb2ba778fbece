# A daemon of the old school: forks, leaves its session, forks again, closes its standard output, and goes on as a
# grandchild. It says where it is by a file, and ends with the code in the file's name when it is asked to by SIGTERM.
use POSIX;
my ($file) = @ARGV;
exit 0 if fork;
POSIX::setsid();
exit 0 if fork;
close STDOUT;
close STDERR;
$SIG{TERM} = sub { exit 9 };
open my $out, '>', "$file.new";
print $out $$;
close $out;
rename "$file.new", $file;
sleep 1 while 1;
