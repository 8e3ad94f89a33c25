// Package snapfile is the snapshot on disk: a stream of lines of JSON, in
// independent zstd frames of about 1 MiB of text each, so that
//
//	zstd -dc FILE | jq .
//
// reads it without this program. The first line is the manifest: schema, tool,
// sources and readings. Then comes one line per record, Okta's kinds before
// Databricks', each kind sorted by id:
//
//	{"okta_user":{"id":"00u1","status":"ACTIVE","login":"pat@example.com"}}
//
// Blank fields are left out. A text that is not valid UTF-8, which JSON cannot
// hold, is written as {"base64":"…"}. Objects that could not be decoded are
// kept as texts under okta_undecoded and databricks_undecoded. The last line is
// the trailer, in a frame of its own that is not compressed.
//
// # Digest
//
// The trailer holds the number of lines of each kind, a digest of every byte
// before its own frame, one of each source's content and, from these two, the
// one that names the content as a whole. A source's content is its record
// lines as they stand in the file, followed by a line with the tenant and
// whether each input was asked for and is complete: neither times nor counts of
// requests, so that the same content has the same digest wherever it was read.
//
// A file whose bytes are not exactly those that Write wrote is refused. The digests
// of the content are taken from its trailer, and not made again.
package snapfile
