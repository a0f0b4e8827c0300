package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var data = volumeRecord{ID: "pvc-1", Namespace: "shop", Claim: "data"}

func TestLookup(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"for every volume", "5s\n", "5s"},
		{"by claim", "data 1s", "1s"},
		{"by namespace and claim", "shop/data 1s", "1s"},
		{"by volume ID", "pvc-1 1s", "1s"},
		{"by pattern", "shop/* 1s", "1s"},
		{"another claim", "log 1s", ""},
		{"another namespace", "bank/data 1s", ""},
		{"first that matches", "log 1s\ndata 2s\n3s", "2s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := lookup(c.text, data); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func write(t *testing.T, k *knobs, knob, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, knob), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFailureIsCountedDownOnItsLine(t *testing.T) {
	k := &knobs{dir: t.TempDir()}
	write(t, k, "fail-snapshot", "log all\ndata 2\n")
	for i, want := range []bool{true, true, false} {
		got, err := k.takeFailure(data)
		if err != nil || got != want {
			t.Errorf("call %d: got %t, %v, want %t", i, got, err, want)
		}
	}
	text, _ := os.ReadFile(filepath.Join(k.dir, "fail-snapshot"))
	if string(text) != "log all\ndata 0\n" {
		t.Errorf("left %q", text)
	}
}

func TestRemovedCutDelayLetsTheCutHappen(t *testing.T) {
	k := &knobs{dir: t.TempDir()}
	write(t, k, "cut-delay", "1h")
	go func() {
		time.Sleep(2 * knobPoll)
		os.Remove(filepath.Join(k.dir, "cut-delay"))
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := k.waitForCut(ctx, time.Now(), []volumeRecord{data}); err != nil {
		t.Error(err)
	}
}

func TestCutDelayEndsWithTheCall(t *testing.T) {
	k := &knobs{dir: t.TempDir()}
	write(t, k, "cut-delay", "1h")
	ctx, cancel := context.WithTimeout(context.Background(), knobPoll)
	defer cancel()
	if err := k.waitForCut(ctx, time.Now(), []volumeRecord{data}); err == nil {
		t.Error("the cut would have been taken")
	}
}

func TestReadiness(t *testing.T) {
	k := &knobs{dir: t.TempDir()}
	if !k.ready(data, time.Now()) {
		t.Error("not ready without a knob")
	}
	write(t, k, "ready-delay", "1h")
	if k.ready(data, time.Now()) || !k.ready(data, time.Now().Add(-2*time.Hour)) {
		t.Error("ready-delay is not kept")
	}
	write(t, k, "never-ready", "shop/data yes")
	if k.ready(data, time.Now().Add(-2*time.Hour)) {
		t.Error("never-ready is not kept")
	}
}
