package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// knobs are files by which a test changes how the driver behaves, without a restart. A missing file
// means no fault. Each line is "VALUE" for every volume or "PATTERN VALUE" for some; the first line
// that matches counts. PATTERN is a shell pattern for the volume's ID, its claim, or NAMESPACE/CLAIM.
//
//	cut-delay      DURATION  wait that long before the cut; read again while waiting, so that
//	                         removing the file (or shortening the time) lets the cut happen
//	ready-delay    DURATION  a snapshot is ready to use that long after its cut
//	never-ready    yes       a snapshot is not ready to use as long as the file says so
//	fail-snapshot  COUNT     the next COUNT calls fail with ResourceExhausted; counted down in the
//	                         file. "all": every call, until the file is removed
type knobs struct {
	dir string
	mu  sync.Mutex // held while fail-snapshot is counted down
}

const knobPoll = 20 * time.Millisecond

// lookup returns the value of the line that matches, and that line's index.
func lookup(text string, volume volumeRecord) (value string, line int) {
	for i, l := range strings.Split(text, "\n") {
		switch fields := strings.Fields(l); len(fields) {
		case 1:
			return fields[0], i
		case 2:
			if matches(fields[0], volume) {
				return fields[1], i
			}
		}
	}
	return "", -1
}

func matches(pattern string, volume volumeRecord) bool {
	for _, name := range []string{volume.ID, volume.Claim, volume.Namespace + "/" + volume.Claim} {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

func (k *knobs) read(knob string, volume volumeRecord) string {
	text, err := os.ReadFile(filepath.Join(k.dir, knob))
	if err != nil {
		return ""
	}
	value, _ := lookup(string(text), volume)
	return value
}

// duration ignores what does not parse: a test may be in the middle of writing the file.
func (k *knobs) duration(knob string, volume volumeRecord) time.Duration {
	d, _ := time.ParseDuration(k.read(knob, volume))
	return d
}

// waitForCut waits until the longest cut-delay of the volumes is over.
func (k *knobs) waitForCut(ctx context.Context, since time.Time, volumes []volumeRecord) error {
	for {
		var longest time.Duration
		for _, volume := range volumes {
			longest = max(longest, k.duration("cut-delay", volume))
		}
		left := time.Until(since.Add(longest))
		if left <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(left, knobPoll)):
		}
	}
}

func (k *knobs) ready(volume volumeRecord, cut time.Time) bool {
	return k.read("never-ready", volume) == "" &&
		time.Since(cut) >= k.duration("ready-delay", volume)
}

// takeFailure says whether this call has to fail, and counts it.
func (k *knobs) takeFailure(volume volumeRecord) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	file := filepath.Join(k.dir, "fail-snapshot")
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	value, line := lookup(string(text), volume)
	if value == "" || value == "all" {
		return value == "all", nil
	}
	count, err := strconv.Atoi(value)
	if err != nil {
		return false, fmt.Errorf("fail-snapshot: neither a number nor \"all\": %q", value)
	}
	if count <= 0 {
		return false, nil
	}
	lines := strings.Split(string(text), "\n")
	at := strings.LastIndex(lines[line], value)
	lines[line] = lines[line][:at] + strconv.Itoa(count-1)
	return true, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644)
}
