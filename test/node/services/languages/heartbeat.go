// A service in Go: it finds tarsnode in its configuration and sends it a heartbeat each second, until SIGTERM.
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func key(conf, name string) string {
	found := regexp.MustCompile(`(?m)^\s*` + name + `=(.*)$`).FindStringSubmatch(conf)
	if found == nil {
		log.Fatalf("the conf has no %s", name)
	}
	return found[1]
}

func text(tag byte, value string) string {
	return string([]byte{tag<<4 | 6, byte(len(value))}) + value
}

func number(value int) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(value)))
}

// keepAlive is the request ServerF.keepAlive(ServerInfo) in Tars encoding.
func keepAlive(app, server string) string {
	body := "\x1a" + text(0, app) + text(1, server) + "\x22" + number(os.Getpid()) + text(3, "") + "\x0b"
	packet := "\x10\x01\x2c\x3c\x40\x01" + text(5, "tars.tarsnode.ServerObj") + text(6, "keepAlive") +
		"\x7d\x00\x00" + string([]byte{byte(len(body))}) + body + "\x8c\x98\x0c\xa8\x0c"
	return number(4+len(packet)) + packet
}

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	bytes, err := os.ReadFile(strings.TrimPrefix(os.Args[1], "--config="))
	if err != nil {
		log.Fatal(err)
	}
	conf := string(bytes)
	at := regexp.MustCompile(`-h (\S+) -p (\d+)`).FindStringSubmatch(key(conf, "node"))
	link, err := net.Dial("tcp", net.JoinHostPort(at[1], at[2]))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("serving in Go")
	for answer := make([]byte, 512); ; {
		if _, err := link.Write([]byte(keepAlive(key(conf, "app"), key(conf, "server")))); err != nil {
			log.Fatal(err)
		}
		if _, err := link.Read(answer); err != nil {
			log.Fatal(err)
		}
		select {
		case <-told:
			fmt.Println("leaving in Go")
			return
		case <-time.After(time.Second):
		}
	}
}
