//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

// lockFolder does nothing: this system has no flock.
func lockFolder(string) (unlock func()) { return func() {} }
