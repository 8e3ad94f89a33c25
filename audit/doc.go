// Package audit is the domain of aimcheck: what two directories said, what the
// rules conclude from it, what enabling automatic identity management (AIM)
// would do, and which operations would mend it.
//
// The package is pure. It opens no file, speaks to no network, reads no clock
// and starts no goroutine that outlives a call: the same snapshot and settings
// give the same bytes, whenever and wherever it runs.
package audit
