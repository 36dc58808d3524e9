package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// quit has the server end at once, with its children.
const quit = syscall.SIGQUIT

// gone tells whether no process has the id.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// command prepares a program that ends when ctx ends or the thread that starts it ends,
// and so with the test binary, however that ends. As root it is run as a user
// without rights, because PostgreSQL refuses to run as root.
func (p *process) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: quit, Credential: credential()}
	return cmd
}

// handOver gives the folder to the user that the server runs as.
func (p *process) handOver() error {
	c := credential()
	if c == nil {
		if os.Geteuid() == 0 {
			return errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
		}
		return nil
	}
	if err := os.Chown(p.folder, int(c.Uid), int(c.Gid)); err != nil {
		return fmt.Errorf("hand the folder to another user: %w", err)
	}
	return nil
}

// credential is the user to run as instead of root, nil for our own.
func credential() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, e1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, e2 := strconv.ParseUint(u.Gid, 10, 32)
		if e1 == nil && e2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}
