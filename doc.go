// Package aimcheck holds the architecture of the program, and the test that
// keeps it; the program is cmd/aimcheck.
package aimcheck
