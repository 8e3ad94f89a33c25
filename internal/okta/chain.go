package okta

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aimcheck/aimcheck/audit"
)

// chain reads a listing from its first page to the one without a next, and
// hands on every object. What an earlier chain gave is replaced. An object that
// comes twice in one chain says that the listing moved; a second look, again,
// may well meet an object twice, but not a page of nothing else.
func (l *listing) chain(ctx context.Context, list call, query string, d decoder, again bool) error {
	l.chains++
	count := 0
	if d.input == audit.OktaUsers {
		query = l.client.columns.in(query)
	}
	pages := l.proof.Pages
	full, err := l.pages(ctx, list, query, d, func(objects []object) error {
		l.proof.Pages++
		fresh := len(objects) == 0
		on := make(map[string]bool, len(objects))
		for _, o := range objects {
			if d.expect != nil {
				if err := d.expect(o.record); err != nil {
					return err
				}
			}
			count++
			chain, known := l.seen.get(o.id)
			twice := o.id != "" && (on[o.id] || known && chain == l.chains)
			if twice && !again {
				return errMoved{fmt.Sprintf("%s %s was listed twice", d.kind, o.id)}
			}
			fresh = fresh || !twice
			on[o.id] = true
		}
		if !fresh {
			return errMoved{fmt.Sprintf("a page of %ss came twice", d.kind)}
		}
		if err := l.plausible(0); err != nil {
			return err
		}
		return l.hand(objects, again, "")
	})
	var refused *apiError
	if errors.As(err, &refused) && refused.status == http.StatusBadRequest && l.proof.Pages == pages && l.client.columns.refused(query) {
		q, _ := url.ParseQuery(query)
		q.Del("fields")
		return l.chain(ctx, list, q.Encode(), d, again)
	}
	if l.proof.End == "" {
		l.proof.End = endedLast
	}
	if err != nil || !full || again {
		return err
	}
	return l.confirm(ctx, list, query, d, count, func(id string) bool {
		chain, known := l.seen.get(id)
		return known && chain == l.chains
	})
}

// hand hands on objects: those that are known, and all of an update, replace what
// was given before.
func (l *listing) hand(objects []object, update bool, mark string) error {
	var first, replaced audit.Page
	replaced.Update = true
	for _, o := range objects {
		_, known := l.seen.get(o.id)
		l.seen.set(o.id, l.chains)
		if !known || o.id == "" {
			l.received++
		}
		switch r := o.record.(type) {
		case audit.Undecoded:
			if l.bad[o.id] {
				continue
			}
			l.bad[o.id] = o.id != ""
			l.countUndecoded(r)
		case audit.OktaUser:
			l.deprovisioned = l.deprovisioned || !r.Live()
			if !known && r.Live() {
				l.live++
			}
		}
		if known || update {
			replaced.Records = append(replaced.Records, o.record)
		} else {
			first.Records = append(first.Records, o.record)
		}
	}
	if update {
		l.proof.Changed += len(replaced.Records)
	}
	pages := []audit.Page{first, replaced}
	if len(replaced.Records) == 0 {
		pages = pages[:1]
	}
	pages[len(pages)-1].Mark = mark
	for _, p := range pages {
		if len(p.Records) == 0 && p.Mark == "" {
			continue
		}
		if err := l.emit(p); err != nil {
			return err
		}
	}
	return nil
}

// confirm reads a listing once more in pages of another size. One that ended
// with a full page may have been cut there: nothing else in it would tell.
func (l *listing) confirm(ctx context.Context, list call, query string, d decoder, count int, known func(id string) bool) error {
	q, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	q.Set("limit", strconv.Itoa(limit-limit/7))
	again, unknown := 0, 0
	_, err = l.pages(ctx, list, q.Encode(), d, func(objects []object) error {
		again += len(objects)
		for _, o := range objects {
			if o.id != "" && !known(o.id) {
				unknown++
			}
		}
		return nil
	})
	if err == nil && (again != count || unknown > 0) {
		err = errMoved{fmt.Sprintf("a listing of %ss ended with a full page after %d, and in pages of another size after %d", d.kind, count, again)}
	}
	return err
}

func (l *listing) countUndecoded(u audit.Undecoded) {
	if l.undecoded++; l.undecoded == 1 {
		l.firstUndecoded = u.Error
	}
}

// pages follows a listing's next links, whose queries it sends as they stand,
// and hands each page's objects to each. It ends with an error if they lead in
// a circle or to blank pages without end. It reports whether the last page that
// was not blank was full.
func (l *listing) pages(ctx context.Context, list call, query string, d decoder, each func([]object) error) (full bool, err error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return false, err
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	sent, blank, count := map[string]bool{}, 0, 0
	for {
		p, err := l.client.get(ctx, list, query)
		var refused *apiError
		if len(sent) > 0 && errors.As(err, &refused) && refused.status == http.StatusBadRequest {
			return false, errMoved{fmt.Sprintf("Okta no longer knows where the listing stood: %v", err)}
		}
		if err != nil {
			return false, err
		}
		sent[query] = true
		objects, err := d.objects(p.body)
		if err != nil {
			return false, fmt.Errorf("GET %s: %w", p.path, err)
		}
		if d.input == audit.OktaUsers {
			l.client.columns.look(p.body)
		}
		next, more, err := p.next()
		if err != nil {
			return false, fmt.Errorf("GET %s: %w", p.path, err)
		}
		if count += len(objects); count > maxObjects {
			return false, fmt.Errorf("GET %s does not end: it gave more than %d objects", p.path, maxObjects)
		}
		if err := each(objects); err != nil {
			return false, err
		}
		if blank++; len(objects) > 0 {
			full, blank = len(objects) >= limit, 0
		}
		if !more {
			return full, nil
		}
		if sent[next] || blank > maxBlankPages {
			return false, errMoved{fmt.Sprintf("the pages of GET %s lead in a circle", p.path)}
		}
		query = next
	}
}
