// Command comptoir syncs web shops into double-entry books, each record once.
//
// Each verb has a file of its own here. What they share stands in app.go (the
// flags and what is opened from them), print.go (tables and JSON) and exit.go
// (exit codes).
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones on machines that have none installed
)

func main() { os.Exit(run(os.Args[1:])) }

// run runs the command line and returns the exit code. A signal ends what the
// verb does; a second one ends the process at once.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	a := newApp(os.Stdout, os.Stderr)
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		a.complain(err, args)
	}
	return exitCode(err)
}
