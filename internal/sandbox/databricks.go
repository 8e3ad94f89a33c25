package sandbox

import (
	"net/http"
)

// databricks imitates a Databricks account.
type databricks struct {
	t DatabricksTenant
}

func newDatabricks(t DatabricksTenant, s *Sandbox) (*databricks, error) { return &databricks{t}, nil }

func (d *databricks) tenant() DatabricksTenant { return d.t }

func (d *databricks) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
