<?php
// A service in PHP: it finds tarsnode in its configuration and sends it a heartbeat each second. Called with "stop", it
// ends the one that runs. SIGTERM does not end it, so that a stop without that command is seen.
function setting(string $name): string
{
    global $argv;
    $conf = file_get_contents(substr($argv[1], strlen('--config=')));
    return preg_match("/^\s*$name=(.*)$/m", $conf, $found) ? $found[1] : exit("the conf has no $name\n");
}

function text(int $tag, string $value): string
{
    return chr($tag << 4 | 6) . chr(strlen($value)) . $value;
}

/** The request ServerF.keepAlive(ServerInfo) in Tars encoding. */
function keepAlive(): string
{
    $body = "\x1a" . text(0, setting('app')) . text(1, setting('server')) . "\x22" . pack('N', getmypid()) . text(3, '') . "\x0b";
    $packet = "\x10\x01\x2c\x3c\x40\x01" . text(5, 'tars.tarsnode.ServerObj') . text(6, 'keepAlive')
        . "\x7d\x00\x00" . chr(strlen($body)) . $body . "\x8c\x98\x0c\xa8\x0c";
    return pack('N', 4 + strlen($packet)) . $packet;
}

$pidFile = setting('datapath') . 'master.pid';
if (($argv[2] ?? '') === 'stop') {
    echo "stopping by command\n";
    exit(posix_kill((int) file_get_contents($pidFile), SIGUSR1) ? 0 : 1);
}
pcntl_async_signals(true);
pcntl_signal(SIGTERM, SIG_IGN);
pcntl_signal(SIGUSR1, function () {
    echo "leaving in PHP\n";
    exit(0);
});
file_put_contents($pidFile, getmypid());
preg_match('/-h (\S+) -p (\d+)/', setting('node'), $at);
$link = stream_socket_client("tcp://$at[1]:$at[2]");
echo "serving in PHP\n";
while (fwrite($link, keepAlive()) && fread($link, 512)) {
    sleep(1);
}
exit(1);
