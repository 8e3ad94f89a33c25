// Aimcheck finds the identities that Databricks' automatic identity management
// would get wrong, before it is switched on.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	// Hardly anything that is kept has pointers: to look often takes little, and millions of identities stay small.
	debug.SetGCPercent(25)
	log.SetOutput(io.Discard) // net/http prints what a server sends unasked
	os.Exit(start(osEnv()))
}

// start runs the program until it ends, or is interrupted.
func start(e *env) int {
	cobra.EnableCommandSorting = false // they stand in the order in which one needs them
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // by nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		<-signals
		signal.Stop(signals) // the second Ctrl-C ends at once
		cancel()
	}()
	return run(ctx, e)
}
