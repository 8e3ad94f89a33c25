package databricks

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
)

// A page of users as the account API gives it, through walk and decoder.
func BenchmarkUsers(b *testing.B) {
	const n = 10000
	pages := map[int][]byte{}
	for start := 1; start <= n; start += 99 {
		var body bytes.Buffer
		fmt.Fprintf(&body, `{"totalResults":%d,"startIndex":%d,"itemsPerPage":100,"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[`, n, start)
		for i := start; i < min(start+100, n+1); i++ {
			if i > start {
				body.WriteByte(',')
			}
			fmt.Fprintf(&body, `{"id":"%[1]d","userName":"user%[1]d@example.com","externalId":"00u%017[1]d","displayName":"User %[1]d",`+
				`"name":{"givenName":"User","familyName":"Of %[1]d"},"active":true,"emails":[{"type":"work","value":"user%[1]d@example.com","primary":true}],`+
				`"groups":[{"value":"77","display":"staff","type":"direct","$ref":"Groups/77"}]}`, i)
		}
		body.WriteString(`]}`)
		pages[start] = body.Bytes()
	}
	get := func(_ context.Context, start, _ int) (page, error) { return readPage(pages[start]) }
	b.ReportAllocs()
	for b.Loop() {
		r := readListing(b.Context(), users, get, func(audit.Page) error { return nil })
		if !r.Complete {
			b.Fatal(r.Reason)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "users/s")
}
