//go:build !linux

package storetest

import (
	"context"
	"os"
	"os/exec"
)

// quit ends the server. Where the test binary is killed on such a system, the
// server stays behind.
var quit = os.Interrupt

// gone cannot be told here.
func gone(int) bool { return false }

func (p *process) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.folder
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	return cmd
}

// handOver does nothing: the server runs as the user of the tests.
func (p *process) handOver() error { return nil }
