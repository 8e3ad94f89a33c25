package config

import "strings"

// Nearest returns the known word that the given one was probably meant to be,
// or "" if none is near: fewer than half of the letters may differ.
func Nearest(word string, known []string) string {
	best, least := "", len(word)/2+1
	word = strings.ToLower(word)
	for _, k := range known {
		lower := strings.ToLower(k)
		if len(lower)-len(word) >= least || len(word)-len(lower) >= least {
			continue // as many letters as that would have to come or go
		}
		if d := distance(word, lower); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, drop, replace or swap with their
// neighbour to get from a to b.
func distance(a, b string) int {
	prev, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], prev[j-1]+1)
			}
		}
		prev, row, next = row, next, prev
	}
	return row[len(b)]
}
