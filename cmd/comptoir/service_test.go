package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnitIsAcceptedBySystemd has systemd itself read the unit, where there is
// one.
func TestUnitIsAcceptedBySystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd is not installed: the unit was not verified")
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, u := range map[string]unit{
		"plain":       {Exec: binary, Config: "/etc/comptoir/comptoir.yaml", Secrets: "/etc/comptoir"},
		"odd paths":   {Exec: binary, Config: `/srv/my shop's 100% "$" files/c.yaml`, Secrets: "/srv"},
		"binary home": {Exec: binary, Config: "/home/me/c.yaml", Secrets: "/home/me", AtHome: true},
		"own data":    {Exec: binary, Config: "/etc/comptoir/comptoir.yaml", Data: "/srv/my books", Secrets: "/etc/comptoir"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := u.render()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), unitName)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestUserUnitAsksForNothingThatOnlyRootHas(t *testing.T) {
	text, err := unit{Exec: "/usr/local/bin/comptoir", Config: "/home/me/.config/comptoir/comptoir.yaml", User: true}.render()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"DynamicUser=", "CapabilityBoundingSet=", "ProtectSystem=", "multi-user.target"} {
		if strings.Contains(string(text), line) {
			t.Errorf("the unit of a user holds %s", line)
		}
	}
	if !strings.Contains(string(text), "NoNewPrivileges=yes") || !strings.Contains(string(text), "WantedBy=default.target") {
		t.Errorf("unit:\n%s", text)
	}
}
