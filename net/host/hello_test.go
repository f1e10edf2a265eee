package host

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host/pb"
)

func TestHelloLimits(t *testing.T) {
	long := strings.Repeat("ü", 150) // 300 bytes
	data, err := encodeHello(domain.Hello{Name: long, Version: "1", Near: true}, 7)
	if err != nil {
		t.Fatal(err)
	}
	hello, instance, err := decodeHello(data)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("ü", 100); hello.Name != want || instance != 7 || !hello.Near || hello.Version != "1" {
		t.Errorf("got %+v of run %d", hello, instance)
	}
	for name, message := range map[string]*pb.Hello{
		"name": {Name: strings.Repeat("x", maxHelloName+1)}, "version": {Version: strings.Repeat("x", maxHelloVersion+1)},
	} {
		data, err := proto.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := decodeHello(data); !errors.Is(err, domain.ErrTooLarge) {
			t.Errorf("%s too long: %v", name, err)
		}
	}
	if _, _, err := decodeHello(make([]byte, maxHello+1)); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("message too long: %v", err)
	}
	if _, _, err := decodeHello([]byte{0x0a, 0x02, 0xff, 0xfe}); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("a name that is no text: %v", err)
	}
	if got := cut("aü", 2); got != "a" {
		t.Errorf("cut within a character: %q", got)
	}
}

func FuzzDecodeHello(f *testing.F) {
	seed, err := encodeHello(domain.Hello{Name: "Ana", Version: "1.2.3", Near: true}, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		hello, instance, err := decodeHello(data)
		if err != nil {
			return
		}
		if len(hello.Name) > maxHelloName || !utf8.ValidString(hello.Name) || len(hello.Version) > maxHelloVersion {
			t.Fatalf("accepted %+v", hello)
		}
		again, err := encodeHello(hello, instance)
		if err != nil {
			t.Fatal(err)
		}
		if back, run, err := decodeHello(again); err != nil || back != hello || run != instance {
			t.Fatalf("%+v came back as %+v, %v", hello, back, err)
		}
	})
}

func FuzzResolve(f *testing.F) {
	for _, text := range []string{"192.168.1.2", "[::1]:80", "/ip4/1.2.3.4/tcp/5/p2p/x", ":", "/dns4//tcp/1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if addr, _, err := parseAddress(text); err == nil && !usable(addr) {
			t.Fatalf("%q gave %s", text, addr)
		}
		if name, port, err := splitHostPort(text); err == nil && (port < 1 || port > 65535) {
			t.Fatalf("%q gave %q and %d", text, name, port)
		}
	})
}
