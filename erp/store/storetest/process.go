package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// errMissing says that this machine lacks the programs of PostgreSQL.
var errMissing = errors.New("PostgreSQL is not installed: install the package postgresql, or put initdb and postgres on the PATH, or set COMPTOIR_TEST_POSTGRES_URL")

func missing(err error) bool { return errors.Is(err, errMissing) }

// process is a private PostgreSQL server in a folder of its own.
type process struct {
	folder string
	cmd    *exec.Cmd
	ended  chan struct{}
}

// superuser is the user that the private server knows.
const superuser = "comptoir"

// startProcess makes a folder with a database cluster and starts a server on
// it, which listens on a socket in that folder and on nothing else.
func startProcess(ctx context.Context) (*process, *url.URL, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, nil, err
	}
	removeLeftovers()
	folder, err := os.MkdirTemp("", folderPrefix(os.Getpid()))
	if err != nil {
		return nil, nil, err
	}
	p := &process{folder: folder, ended: make(chan struct{})}
	if err := p.start(ctx, bin); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start a PostgreSQL server for the tests: %w", err), os.RemoveAll(folder))
	}
	base := &url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/postgres", RawQuery: url.Values{"host": {folder}}.Encode()}
	return p, base, nil
}

// folderPrefix names the folder of a server after the process that started it.
func folderPrefix(pid int) string { return fmt.Sprintf("comptoir-test-pg-%d-", pid) }

// removeLeftovers removes the folders of test binaries that were killed.
func removeLeftovers() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), "comptoir-test-pg-*"))
	for _, folder := range folders {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(folder), "comptoir-test-pg-%d-", &pid); err == nil && gone(pid) {
			os.RemoveAll(folder)
		}
	}
}

// findPrograms returns the folder of initdb and postgres, the newest one where
// there are several.
func findPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		// Distributions may put a link on the PATH whose neighbours are elsewhere.
		if path, err = filepath.EvalSymlinks(path); err == nil && isFile(filepath.Join(filepath.Dir(path), "postgres")) {
			return filepath.Dir(path), nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return "", errMissing
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
	return filepath.Dir(newest), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (p *process) start(ctx context.Context, bin string) error {
	if err := p.handOver(); err != nil {
		return err
	}
	data := filepath.Join(p.folder, "data")
	initdb := p.command(ctx, filepath.Join(bin, "initdb"),
		"--pgdata", data, "--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	// What is lost when the machine stops was of no use anyway. With few buffers
	// a database is made and dropped faster.
	p.cmd = p.command(context.WithoutCancel(ctx), filepath.Join(bin, "postgres"), "-D", data, "-k", p.folder,
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=8MB",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
	log, err := p.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := p.launch(); err != nil {
		return err
	}
	if err := awaitReady(ctx, log); err != nil {
		p.kill()
		return err
	}
	return nil
}

// launch starts the server and notes its end. The goroutine keeps its thread:
// the kernel ends the server with the thread that started it, see command.
func (p *process) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.cmd.Process.Wait()
			close(p.ended)
		}
	}()
	return <-started
}

// awaitReady reads the log of the server until it takes connections, and
// leaves a goroutine behind that reads the rest until the server ends.
func awaitReady(ctx context.Context, log io.ReadCloser) error {
	ready := make(chan error, 1)
	go func() {
		defer log.Close()
		var seen []string
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			seen = append(seen, lines.Text())
			if strings.Contains(lines.Text(), "ready to accept connections") {
				ready <- nil
				io.Copy(io.Discard, log) //nolint:errcheck // until the server ends
				return
			}
		}
		ready <- fmt.Errorf("the server ended: %s", strings.Join(seen, "; "))
	}()
	select {
	case err := <-ready:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stopLimit is how long the server may take to end before it is killed.
const stopLimit = 10 * time.Second

// stop ends the server and removes its folder.
func (p *process) stop() {
	p.cmd.Process.Signal(quit)
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		p.kill()
	}
	os.RemoveAll(p.folder)
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}
