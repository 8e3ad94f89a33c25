package okta

import (
	"bytes"
	"net/http"
	"net/url"
	"sync/atomic"
)

// wanted are the members of a user that are read. Where Okta shows these alone,
// a user takes a twelfth of the bytes.
const wanted = "id,status,created,lastUpdated,profile:(login,email,firstName,lastName)"

// omitting asks for users without what takes Okta the most time to find. It
// works with all three words alone.
const omitting = "application/json; okta-response=omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"

// columns knows whether the org shows chosen members of users.
type columns struct{ none atomic.Bool }

// in adds what is wanted to a query for users.
func (c *columns) in(query string) string {
	if c.none.Load() {
		return query
	}
	return query + "&fields=" + url.QueryEscape(wanted)
}

// refused notes that the query was refused, and reports whether it may be for
// its columns, so that it is worth asking without.
func (c *columns) refused(query string) bool {
	q, err := url.ParseQuery(query)
	return err == nil && q.Has("fields") && !c.none.Swap(true)
}

// look learns from an object whether the columns were passed over.
func (c *columns) look(raw []byte) {
	if !c.none.Load() && bytes.Contains(raw, []byte(`"_links"`)) {
		c.none.Store(true)
	}
}

// header is set on requests for users once there is no choosing.
func (c *columns) header(r *http.Request) {
	if c.none.Load() {
		r.Header.Set("Content-Type", omitting)
	}
}
