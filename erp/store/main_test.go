package store_test

import (
	"testing"

	"comptoir/erp/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
