<?php
// A service in PHP: it finds tarsnode in its configuration and sends it a heartbeat each second. Called with "stop", it
// ends the one that runs. SIGTERM does not end it, so that a stop without that command is seen. It takes endpoints apart as
// phptars does, at each "-", listens where they say, and asks the registry for something before it serves.
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
    return request('tars.tarsnode.ServerObj', 'keepAlive', $body);
}

function request(string $servant, string $function, string $body): string
{
    $packet = "\x10\x01\x2c\x3c\x40\x01" . text(5, $servant) . text(6, $function)
        . "\x7d\x00\x00" . chr(strlen($body)) . $body . "\x8c\x98\x0c\xa8\x0c";
    return pack('N', 4 + strlen($packet)) . $packet;
}

/** tcp://host:port of an endpoint. */
function address(string $endpoint): string
{
    $found = [];
    foreach (explode('-', $endpoint) as $option) {
        $found[$option[0]] = trim(substr($option, 1));
    }
    return "tcp://{$found['h']}:{$found['p']}";
}

$pidFile = setting('datapath') . 'master.pid';
if ($argv[2] === 'stop') {
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
file_put_contents(setting('logpath') . setting('app') . '/' . setting('server') . '/log_' . strtolower(setting('loglevel')) . '.log', "starting\n") or exit("no log file\n");
if ($argv[2] !== 'start' || !stream_socket_server(address(setting('endpoint')))) {
    exit("this is no start\n");
}
[$object, $locator] = explode('@', setting('locator'));
$registry = stream_socket_client(address($locator));
fwrite($registry, request($object, 'tars_ping', ''));
strlen(fread($registry, 512)) > 4 or exit("the registry does not answer\n");
$link = stream_socket_client(address(explode('@', setting('node'))[1]));
echo "serving in PHP\n";
while (fwrite($link, keepAlive()) && fread($link, 512)) {
    sleep(1);
}
exit(1);
