package store_test

import (
	"os"
	"testing"

	"comptoir/erp/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		os.Exit(child(path))
	}
	storetest.Main(m)
}
