package main

import "testing"

func TestPace(t *testing.T) {
	p := newPace(256)
	p.answered(false)
	if got := p.limiter.Limit(); got != 256 {
		t.Errorf("faster than was set: %v", got)
	}
	for _, want := range []float64{128, 64} {
		if p.answered(true); float64(p.limiter.Limit()) != want {
			t.Errorf("%v a second, want %v", p.limiter.Limit(), want)
		}
	}
	if p.answered(false); p.limiter.Limit() != 65 {
		t.Errorf("%v a second, want 65", p.limiter.Limit())
	}
	for range 20 {
		p.answered(true)
	}
	if p.limiter.Limit() != 4 {
		t.Errorf("%v a second: it must not come to a stop", p.limiter.Limit())
	}
}
