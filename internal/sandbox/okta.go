package sandbox

import (
	"net/http"
)

// okta imitates an Okta org.
type okta struct {
	t OktaTenant
}

func newOkta(t OktaTenant, s *Sandbox) (*okta, error) { return &okta{t}, nil }

func (o *okta) tenant() OktaTenant { return o.t }

func (o *okta) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
