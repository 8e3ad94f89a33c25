package apply

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// A Ceiling bounds how many operations may be sent: all together by a number, or
// each kind by a percentage of the directory's objects of that kind. An object may
// have several operations; 100 % lets them all pass. The zero Ceiling is the
// default, 500 or 20 %, whichever is more.
type Ceiling struct {
	set     bool
	percent bool
	at      float64
}

const (
	defaultNumber  = 500
	defaultPercent = 20
)

// ParseCeiling reads "N" or "P%"; blank is the default.
func ParseCeiling(text string) (Ceiling, error) {
	if text == "" {
		return Ceiling{}, nil
	}
	number, percent := strings.CutSuffix(text, "%")
	if percent {
		if p, err := strconv.ParseFloat(number, 64); err == nil && p >= 0 && p <= 100 {
			return Ceiling{true, true, p}, nil
		}
	} else if n, err := strconv.ParseUint(number, 10, 31); err == nil {
		return Ceiling{true, false, float64(n)}, nil
	}
	return Ceiling{}, fmt.Errorf("%q changes at most: expected a number such as 500, or a percentage such as 20%%", text)
}

// allows returns an error if sends, by kind, are more than the ceiling lets pass.
func (c Ceiling) allows(sends map[audit.Kind]int, size func(audit.Kind) int) error {
	if !c.set {
		if err := (Ceiling{true, false, defaultNumber}).allows(sends, size); err != nil {
			return (Ceiling{true, true, defaultPercent}).allows(sends, size)
		}
		return nil
	}
	total := 0
	for _, k := range sorted(sends) {
		total += sends[k]
		if most := math.Floor(c.at * float64(size(k)) / 100); c.percent && c.at < 100 && float64(sends[k]) > most {
			return fmt.Errorf("%d operations would be sent on %d %s, which is more than %g %%: raise --max-changes if that is meant, or try a few first with --limit",
				sends[k], size(k), kindName(k), c.at)
		}
	}
	if !c.percent && float64(total) > c.at {
		return fmt.Errorf("%d operations would be sent, which is more than %g: raise --max-changes if that is meant, or try a few first with --limit", total, c.at)
	}
	return nil
}

// kindName is how people call the objects of a kind.
func kindName(k audit.Kind) string {
	_, name, _ := strings.Cut(k.String(), ":")
	return strings.ReplaceAll(name, "_", " ") + "s"
}

// sorted returns the keys of counts in order.
func sorted(counts map[audit.Kind]int) []audit.Kind { return slices.Sorted(maps.Keys(counts)) }
