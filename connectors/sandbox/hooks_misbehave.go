package sandbox

import "strings"

// hookFault begins the names of the faults of webhooks.
const hookFault = "hook-"

// strikeHook decides which faults hit a webhook, by name.
func (d *door) strikeHook(topic string) map[string]*Fault {
	d.lock.Lock()
	defer d.lock.Unlock()
	hit := map[string]*Fault{}
	for _, f := range d.faults {
		if !strings.HasPrefix(f.Name, hookFault) || !strings.Contains(topic, f.Path) || f.Count > 0 && f.hit >= f.Count {
			continue
		}
		f.seen++
		if f.seen <= f.After || f.Chance > 0 && f.Chance < 1 && !d.chance.in(int(f.Chance*1000)) {
			continue
		}
		f.hit++
		hit[f.Name] = &f.Fault
	}
	return hit
}

// draw returns a number below n by chance.
func (d *door) draw(n int) int {
	d.lock.Lock()
	defer d.lock.Unlock()
	return d.chance.n(n)
}
