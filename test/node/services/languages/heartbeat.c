// A service in C: it finds tarsnode in its configuration and sends it a heartbeat each second, until SIGTERM.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char node[256], app[64], server[64];

static void leave(int signal) {
  (void)signal;
  static const char text[] = "leaving in C\n";
  _exit(write(1, text, sizeof text - 1) > 0 ? 0 : 1);
}

static void read_conf(const char *path) {
  char line[1024];
  FILE *conf = fopen(path, "r");
  while (conf != NULL && fgets(line, sizeof line, conf) != NULL) {
    sscanf(line, " node=%255[^\n]", node);
    sscanf(line, " app=%63[^\n]", app);
    sscanf(line, " server=%63[^\n]", server);
  }
}

static unsigned char *text(unsigned char *at, unsigned char tag, const char *value) {
  *at++ = (unsigned char)(tag << 4 | 6);
  *at++ = (unsigned char)strlen(value);
  return (unsigned char *)stpcpy((char *)at, value);
}

static unsigned char *number(unsigned char *at, unsigned value) {
  const unsigned big = htonl(value);
  return (unsigned char *)memcpy(at, &big, 4) + 4;
}

// The request ServerF.keepAlive(ServerInfo) in Tars encoding.
static size_t keep_alive(unsigned char *packet) {
  unsigned char body[256], *end = body;
  *end++ = 0x1a; // tag 1: a struct
  end = text(text(end, 0, app), 1, server);
  *end++ = 0x22; // tag 2: an int
  end = number(end, (unsigned)getpid());
  end = text(end, 3, ""); // all adapters
  *end++ = 0x0b; // the struct ends
  unsigned char *at = packet + 4;
  memcpy(at, "\x10\x01\x2c\x3c\x40\x01", 6); // version 1, a normal request, no message type, request 1
  at = text(text(at + 6, 5, "tars.tarsnode.ServerObj"), 6, "keepAlive");
  memcpy(at, "\x7d\x00\x00", 3); // tag 7: bytes
  at[3] = (unsigned char)(end - body);
  at = (unsigned char *)memcpy(at + 4, body, (size_t)(end - body)) + (end - body);
  memcpy(at, "\x8c\x98\x0c\xa8\x0c", 5); // no timeout, no context, no status
  at += 5;
  number(packet, (unsigned)(at - packet));
  return (size_t)(at - packet);
}

int main(int argc, char **argv) {
  char host[64];
  unsigned short port;
  unsigned char packet[512], answer[512];
  signal(SIGTERM, leave);
  if (argc < 2 || strncmp(argv[1], "--config=", 9) != 0) return 2;
  read_conf(argv[1] + 9);
  if (sscanf(node, "tars.tarsnode.ServerObj@tcp -h %63s -p %hu", host, &port) != 2) return 3;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_aton(host, &to.sin_addr);
  const int link = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(link, (struct sockaddr *)&to, sizeof to) != 0) return 4;
  printf("serving in C as %s\n", argv[0]);
  fflush(stdout);
  for (;; sleep(1)) {
    const size_t size = keep_alive(packet);
    if (write(link, packet, size) != (ssize_t)size || read(link, answer, sizeof answer) <= 0) return 5;
  }
}
