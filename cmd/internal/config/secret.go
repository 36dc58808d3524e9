package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"comptoir/erp/fault"

	"gopkg.in/yaml.v3"
)

// A secret is given inline, or as a reference to where it is kept.
const (
	fromEnv        = "env:"        // env:NAME, an environment variable
	fromFile       = "file:"       // file:PATH, relative to the configuration file
	fromCredential = "credential:" // credential:NAME, a systemd credential
)

// maxSecret bounds the size of a file that is read as a secret, in bytes.
const maxSecret = 64 << 10

// isReference reports whether the text only says where the secret is.
func isReference(text string) bool {
	return strings.HasPrefix(text, fromEnv) || strings.HasPrefix(text, fromFile) || strings.HasPrefix(text, fromCredential)
}

// readSecret returns the secret that text holds or refers to. A reference to a
// file is relative to the configuration file.
func readSecret(text, configFile string) (string, error) {
	switch {
	case strings.HasPrefix(text, fromEnv):
		name := strings.TrimPrefix(text, fromEnv)
		value := os.Getenv(name)
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return value, nil
	case strings.HasPrefix(text, fromFile):
		path := strings.TrimPrefix(text, fromFile)
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(configFile), path)
		}
		return readSecretFile(path)
	case strings.HasPrefix(text, fromCredential):
		name := strings.TrimPrefix(text, fromCredential)
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return "", fmt.Errorf("there are no systemd credentials here: run it as the service, with LoadCredential=%s:… in the unit", name)
		}
		if name != filepath.Base(name) {
			return "", fmt.Errorf("%q is no name of a credential", name)
		}
		return readSecretFile(filepath.Join(dir, name))
	default:
		return text, nil
	}
}

func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("the secret cannot be read: %w", err)
	}
	if info.Size() > maxSecret {
		return "", fmt.Errorf("%s is too large to be a secret", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the secret cannot be read: %w", err)
	}
	value := strings.TrimSpace(string(b))
	if value == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return value, nil
}

// lateError is the error of a secret that cannot be read. It is reported when
// the secret is needed, so that a report can be printed without it.
func (r *reader) lateError(path string, at *yaml.Node, line int, err error) error {
	was := r.problems
	r.problems = nil
	r.problemAt(path, at, line, err.Error())
	msg := r.problems[0]
	r.problems = was
	return fault.New(fault.Invalid, "", "%s", msg)
}
