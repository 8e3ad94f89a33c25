//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package apply

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the file for this process alone, until it is closed.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("another run is at work on it: wait until it has ended")
	}
	if err != nil {
		return fmt.Errorf("lock: %w: keep it on a disk of this machine", err)
	}
	return nil
}

// syncFolder puts the name of a new file on disk.
func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
