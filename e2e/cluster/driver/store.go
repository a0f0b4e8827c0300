package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// A store is the directory that holds the volumes, the snapshots, and what is known of them.
type store struct{ root string }

// volumeRecord is what a volume was made for.
type volumeRecord struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace,omitempty"` // of the claim
	Claim     string `json:"claim,omitempty"`
	Capacity  int64  `json:"capacity"`
}

// snapshotRecord is one cut. The cut lies between CutStart and CutEnd; Requested is when the driver was
// asked for it, so that CutStart - Requested is the cut-delay knob and what the driver waited for.
type snapshotRecord struct {
	ID        string    `json:"id"`
	Group     string    `json:"group,omitempty"`     // ID of the group snapshot it belongs to
	Namespace string    `json:"namespace,omitempty"` // of the VolumeSnapshot or VolumeGroupSnapshot
	Name      string    `json:"name,omitempty"`      // the same
	Volume    string    `json:"volume"`
	Claim     string    `json:"claim,omitempty"`
	Size      int64     `json:"size"`
	Requested time.Time `json:"requested"`
	CutStart  time.Time `json:"cutStart"`
	CutEnd    time.Time `json:"cutEnd"`
}

func openStore(root string) (*store, error) {
	s := &store{root: root}
	for _, dir := range []string{"volumes", "snapshots", "records", "cuts"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// IDs come from outside; Base keeps them inside their directory.
func (s *store) volumePath(id string) string {
	return filepath.Join(s.root, "volumes", filepath.Base(id))
}

func (s *store) snapshotPath(id string) string {
	return filepath.Join(s.root, "snapshots", filepath.Base(id))
}

func (s *store) recordPath(id string) string {
	return filepath.Join(s.root, "records", filepath.Base(id)+".json")
}

// volume returns nil, nil if there is no such volume.
func (s *store) volume(id string) (*volumeRecord, error) {
	if !exists(s.volumePath(id)) {
		return nil, nil
	}
	record := &volumeRecord{ID: id}
	return record, readJSON(s.recordPath(id), record)
}

// snapshot returns nil, nil if there is no such snapshot.
func (s *store) snapshot(id string) (*snapshotRecord, error) {
	if !exists(s.snapshotPath(id)) || !exists(s.recordPath(id)) {
		return nil, nil
	}
	record := &snapshotRecord{ID: id}
	return record, readJSON(s.recordPath(id), record)
}

// createVolume makes an empty volume, or a copy of the snapshot source if that is not empty.
func (s *store) createVolume(record volumeRecord, source string) error {
	path := s.volumePath(record.ID)
	if err := writeJSON(s.recordPath(record.ID), record); err != nil {
		return err
	}
	if source != "" {
		return createSnapshot(s.snapshotPath(source), path, false)
	}
	if err := createSubvolume(path); err != nil {
		return err
	}
	return os.Chmod(path, 0o777) // any user of a pod may write, as there is no fsGroup support
}

func (s *store) deleteVolume(id string) error {
	if err := destroySubvolume(s.volumePath(id)); err != nil {
		return err
	}
	return removeIfExists(s.recordPath(id))
}

// cut takes the snapshot and fills in CutStart and CutEnd.
func (s *store) cut(record snapshotRecord) (snapshotRecord, error) {
	path := s.snapshotPath(record.ID)
	// A snapshot without a record is one that a crash interrupted: nobody was told of it.
	if err := destroySubvolume(path); err != nil {
		return record, err
	}
	record.CutStart = time.Now()
	if err := createSnapshot(s.volumePath(record.Volume), path, true); err != nil {
		return record, err
	}
	record.CutEnd = time.Now()
	if err := writeJSON(s.recordPath(record.ID), record); err != nil {
		return record, err
	}
	return record, s.publishCut(record)
}

// publishCut writes the file for the tests. The snapshots of a group have no name of their own yet:
// theirs is NAME.CLAIM.
func (s *store) publishCut(record snapshotRecord) error {
	if record.Name == "" {
		return nil
	}
	name := record.Name
	if record.Group != "" {
		name += "." + record.Claim
	}
	dir := filepath.Join(s.root, "cuts", filepath.Base(record.Namespace))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, filepath.Base(name)+".json"), record)
}

func (s *store) deleteSnapshot(id string) error {
	if err := destroySubvolume(s.snapshotPath(id)); err != nil {
		return err
	}
	return removeIfExists(s.recordPath(id))
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// writeJSON replaces the file atomically: a test never reads half of it.
func writeJSON(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func removeIfExists(path string) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
