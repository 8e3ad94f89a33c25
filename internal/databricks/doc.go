// Package databricks reads a Databricks account: users, groups, service
// principals and workspaces, over HTTP through the vendor's Go SDK or from the
// vendor's own JSON files. It also sets one field of one object.
//
// It sends nothing but GET requests and those that sign in, and, if it was
// opened for writing, the PATCH of one user, group or service principal; every
// other call is refused before it leaves the machine. Listings are read so that rows lost
// or moved while others write are noticed, and a listing that can't be proved
// whole is never reported as complete.
package databricks
