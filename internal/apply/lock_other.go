//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package apply

import (
	"errors"
	"os"
)

// lock refuses: without a lock, two runs could write at once.
func lock(*os.File) error {
	return errors.New("this system has no flock, without which two runs could be at work on it: apply from Linux, macOS or BSD")
}

func syncFolder(string) error { return nil }
