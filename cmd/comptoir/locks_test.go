package main

import (
	"bytes"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"comptoir/erp/store/storetest"
)

// TestTwoDirectoriesOnOneDatabaseDoNotSyncAShopTogether runs a daemon, and a
// sync from another data directory into the same PostgreSQL database beside it.
func TestTwoDirectoriesOnOneDatabaseDoNotSyncAShopTogether(t *testing.T) {
	t.Setenv("COMPTOIR_BOOKS_URL", storetest.URL(t))
	b := box{name: "sandbox", platform: platforms[0], orders: 5, seed: 1}
	shop, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(shop.Handler())
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "comptoir.yaml")
	if err := writeBoxConfig(b, shop, server, file, filepath.Join(dir, "one")); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("comptoir", "--config", file, "run")
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := daemon.Wait(); err != nil {
			t.Errorf("the daemon: %v", err)
		}
	}
	defer stop()
	if err := await(filepath.Join(dir, "one", "status.json")); err != nil {
		t.Fatal(err)
	}
	sync := func() (int, string) {
		cmd := exec.Command("comptoir", "--config", file, "--data", filepath.Join(dir, "two"), "sync")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Run(); cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), errs.String()
	}
	if code, said := sync(); code != exitUnavailable || !strings.Contains(said, "shop sandbox is synced into this database by another comptoir process") {
		t.Errorf("beside the daemon: code %d, %s", code, said)
	}
	stop()
	if code, said := sync(); code != exitOK {
		t.Errorf("after the daemon: code %d, %s", code, said)
	}
	if _, err := os.Stat(filepath.Join(dir, "two", "status.json")); err == nil {
		t.Error("the sync left its notes behind")
	}
}

// TestVerbsAgreeOnADatabaseThatDoesNotExist holds the exit codes of the verbs
// against each other.
func TestVerbsAgreeOnADatabaseThatDoesNotExist(t *testing.T) {
	there, err := url.Parse(storetest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	there.Path = "/nosuch"
	t.Setenv("COMPTOIR_BOOKS_URL", there.String())
	b := box{name: "sandbox", platform: platforms[0], orders: 1, seed: 1}
	shop, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(shop.Handler())
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "comptoir.yaml")
	if err := writeBoxConfig(b, shop, server, file, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"check", "status", "sync", "digest", "run"} {
		cmd := exec.Command("comptoir", "--config", file, verb)
		out, _ := cmd.CombinedOutput() // the code tells
		if code := cmd.ProcessState.ExitCode(); code != exitUsage || !strings.Contains(string(out), "has no such database") {
			t.Errorf("%s: code %d, %s", verb, code, out)
		}
	}
}
