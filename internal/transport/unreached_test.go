package transport

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestUnreached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, refused := Retry{Attempts: 2}.Over(Whole(Base(), time.Minute)).RoundTrip(r)
	for _, c := range []struct {
		err  error
		want string
	}{
		{refused, "nobody listens at acme"},
		{fmt.Errorf("x: %w", &net.DNSError{Err: "no such host", IsNotFound: true}), "there is no host acme"},
		{&net.DNSError{Err: "server misbehaving"}, "the name acme can't be looked up: server misbehaving"},
		{errTimeout{time.Minute}, "acme does not answer"},
		{errors.New("odd"), "odd"},
	} {
		if got := Unreached("acme", c.err).Error(); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
