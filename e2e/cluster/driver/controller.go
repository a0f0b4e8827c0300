package main

import (
	"context"
	"errors"
	"log"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const defaultCapacity = 1 << 30

// controllerServer makes and deletes volumes and snapshots. Every call is idempotent, as CSI demands;
// a call for something that another call is busy with is answered Aborted, and repeated by the caller.
type controllerServer struct {
	csi.UnimplementedControllerServer
	store *store
	knobs knobs
	busy  sync.Map // name -> nothing
}

func (s *controllerServer) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	response := &csi.ControllerGetCapabilitiesResponse{}
	for _, rpc := range []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
		csi.ControllerServiceCapability_RPC_LIST_SNAPSHOTS,
	} {
		response.Capabilities = append(response.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: rpc}},
		})
	}
	return response, nil
}

func (s *controllerServer) ValidateVolumeCapabilities(_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	volume, err := s.store.volume(request.GetVolumeId())
	if err != nil {
		return nil, internal(err)
	}
	if volume == nil {
		return nil, status.Errorf(codes.NotFound, "no volume %q", request.GetVolumeId())
	}
	return &csi.ValidateVolumeCapabilitiesResponse{
		Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{VolumeCapabilities: request.GetVolumeCapabilities()},
	}, nil
}

func (s *controllerServer) CreateVolume(_ context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	for _, capability := range request.GetVolumeCapabilities() {
		if capability.GetBlock() != nil {
			return nil, status.Error(codes.InvalidArgument, "block volumes are not supported")
		}
	}
	id := request.GetName()
	release, err := s.claim(id)
	if err != nil {
		return nil, err
	}
	defer release()

	volume, err := s.store.volume(id)
	if err != nil {
		return nil, internal(err)
	}
	if volume == nil {
		if volume, err = s.createVolume(request); err != nil {
			return nil, err
		}
	}
	return &csi.CreateVolumeResponse{Volume: &csi.Volume{
		VolumeId:      id,
		CapacityBytes: volume.Capacity,
		ContentSource: request.GetVolumeContentSource(),
	}}, nil
}

func (s *controllerServer) createVolume(request *csi.CreateVolumeRequest) (*volumeRecord, error) {
	volume := &volumeRecord{
		ID:        request.GetName(),
		Namespace: request.GetParameters()["csi.storage.k8s.io/pvc/namespace"],
		Claim:     request.GetParameters()["csi.storage.k8s.io/pvc/name"],
		Capacity:  request.GetCapacityRange().GetRequiredBytes(),
	}
	source := ""
	if content := request.GetVolumeContentSource(); content != nil {
		if source = content.GetSnapshot().GetSnapshotId(); source == "" {
			return nil, status.Error(codes.InvalidArgument, "only a snapshot can be the source of a volume")
		}
		snapshot, err := s.store.snapshot(source)
		if err != nil {
			return nil, internal(err)
		}
		if snapshot == nil {
			return nil, status.Errorf(codes.NotFound, "no snapshot %q", source)
		}
		if volume.Capacity == 0 {
			volume.Capacity = snapshot.Size
		}
		if volume.Capacity < snapshot.Size {
			return nil, status.Errorf(codes.OutOfRange, "snapshot %q needs %d bytes, not %d", source, snapshot.Size, volume.Capacity)
		}
	}
	if volume.Capacity == 0 {
		volume.Capacity = defaultCapacity
	}
	if err := s.store.createVolume(*volume, source); err != nil {
		return nil, internal(err)
	}
	return volume, nil
}

func (s *controllerServer) DeleteVolume(_ context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	release, err := s.claim(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.store.deleteVolume(request.GetVolumeId()); err != nil {
		return nil, internal(err)
	}
	return &csi.DeleteVolumeResponse{}, nil
}

func (s *controllerServer) CreateSnapshot(ctx context.Context, request *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	snapshots, err := s.take(ctx, []snapshotRecord{{
		ID:        request.GetName(),
		Volume:    request.GetSourceVolumeId(),
		Namespace: request.GetParameters()["csi.storage.k8s.io/volumesnapshot/namespace"],
		Name:      request.GetParameters()["csi.storage.k8s.io/volumesnapshot/name"],
	}})
	if err != nil {
		return nil, err
	}
	return &csi.CreateSnapshotResponse{Snapshot: snapshots[0]}, nil
}

// take makes the snapshots that do not exist yet, one directly after the other.
func (s *controllerServer) take(ctx context.Context, wanted []snapshotRecord) ([]*csi.Snapshot, error) {
	requested := time.Now()
	var missing []snapshotRecord
	var volumes []volumeRecord
	var done []snapshotRecord
	for _, record := range wanted {
		release, err := s.claim(record.ID)
		if err != nil {
			return nil, err
		}
		defer release()
		known, err := s.store.snapshot(record.ID)
		if err != nil {
			return nil, internal(err)
		}
		if known != nil {
			if known.Volume != record.Volume {
				return nil, status.Errorf(codes.AlreadyExists, "snapshot %q is of volume %q", record.ID, known.Volume)
			}
			done = append(done, *known)
			continue
		}
		volume, err := s.store.volume(record.Volume)
		if err != nil {
			return nil, internal(err)
		}
		if volume == nil {
			return nil, status.Errorf(codes.NotFound, "no volume %q", record.Volume)
		}
		fail, err := s.knobs.takeFailure(*volume)
		if err != nil {
			return nil, internal(err)
		}
		if fail {
			return nil, status.Error(codes.ResourceExhausted, "the fail-snapshot knob says so")
		}
		record.Claim, record.Size, record.Requested = volume.Claim, volume.Capacity, requested
		missing = append(missing, record)
		volumes = append(volumes, *volume)
	}

	if err := s.knobs.waitForCut(ctx, requested, volumes); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	for _, record := range missing {
		record, err := s.store.cut(record)
		if err != nil {
			return nil, internal(err)
		}
		done = append(done, record)
	}

	var snapshots []*csi.Snapshot
	for _, record := range done {
		snapshots = append(snapshots, s.snapshotMessage(record))
	}
	return snapshots, nil
}

func (s *controllerServer) snapshotMessage(record snapshotRecord) *csi.Snapshot {
	volume := volumeRecord{ID: record.Volume, Namespace: record.Namespace, Claim: record.Claim}
	return &csi.Snapshot{
		SnapshotId:      record.ID,
		SourceVolumeId:  record.Volume,
		GroupSnapshotId: record.Group,
		SizeBytes:       record.Size,
		CreationTime:    timestamppb.New(record.CutEnd),
		ReadyToUse:      s.knobs.ready(volume, record.CutEnd),
	}
}

func (s *controllerServer) DeleteSnapshot(_ context.Context, request *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	if err := s.deleteSnapshot(request.GetSnapshotId()); err != nil {
		return nil, err
	}
	return &csi.DeleteSnapshotResponse{}, nil
}

func (s *controllerServer) deleteSnapshot(id string) error {
	release, err := s.claim(id)
	if err != nil {
		return err
	}
	defer release()
	if err := s.store.deleteSnapshot(id); err != nil {
		return internal(err)
	}
	return nil
}

// ListSnapshots answers only for one snapshot, which is all that the snapshotter asks: whether the
// snapshot of a content that somebody wrote by hand exists and is ready.
func (s *controllerServer) ListSnapshots(_ context.Context, request *csi.ListSnapshotsRequest) (*csi.ListSnapshotsResponse, error) {
	if request.GetSnapshotId() == "" {
		return nil, status.Error(codes.Unimplemented, "only a single snapshot can be listed")
	}
	record, err := s.store.snapshot(request.GetSnapshotId())
	if err != nil {
		return nil, internal(err)
	}
	response := &csi.ListSnapshotsResponse{}
	if record != nil {
		response.Entries = []*csi.ListSnapshotsResponse_Entry{{Snapshot: s.snapshotMessage(*record)}}
	}
	return response, nil
}

// claim makes the caller the only one who is busy with the volume or snapshot of this ID.
func (s *controllerServer) claim(id string) (release func(), err error) {
	if id == "" {
		return nil, status.Error(codes.InvalidArgument, "a name or ID is missing")
	}
	if _, busy := s.busy.LoadOrStore(id, nil); busy {
		return nil, status.Errorf(codes.Aborted, "another call for %q is running", id)
	}
	return func() { s.busy.Delete(id) }, nil
}

// groupServer takes snapshots of several volumes at once.
type groupServer struct {
	csi.UnimplementedGroupControllerServer
	controller *controllerServer
}

func (s *groupServer) GroupControllerGetCapabilities(context.Context, *csi.GroupControllerGetCapabilitiesRequest) (*csi.GroupControllerGetCapabilitiesResponse, error) {
	return &csi.GroupControllerGetCapabilitiesResponse{Capabilities: []*csi.GroupControllerServiceCapability{{
		Type: &csi.GroupControllerServiceCapability_Rpc{Rpc: &csi.GroupControllerServiceCapability_RPC{
			Type: csi.GroupControllerServiceCapability_RPC_CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT,
		}},
	}}}, nil
}

func (s *groupServer) CreateVolumeGroupSnapshot(ctx context.Context, request *csi.CreateVolumeGroupSnapshotRequest) (*csi.CreateVolumeGroupSnapshotResponse, error) {
	var wanted []snapshotRecord
	for _, volume := range slices.Sorted(slices.Values(request.GetSourceVolumeIds())) {
		wanted = append(wanted, snapshotRecord{
			ID:        request.GetName() + "." + path.Base(volume),
			Group:     request.GetName(),
			Volume:    volume,
			Namespace: request.GetParameters()["csi.storage.k8s.io/volumegroupsnapshot/namespace"],
			Name:      request.GetParameters()["csi.storage.k8s.io/volumegroupsnapshot/name"],
		})
	}
	snapshots, err := s.controller.take(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: groupMessage(request.GetName(), snapshots)}, nil
}

func (s *groupServer) GetVolumeGroupSnapshot(_ context.Context, request *csi.GetVolumeGroupSnapshotRequest) (*csi.GetVolumeGroupSnapshotResponse, error) {
	var snapshots []*csi.Snapshot
	for _, id := range request.GetSnapshotIds() {
		record, err := s.controller.store.snapshot(id)
		if err != nil {
			return nil, internal(err)
		}
		if record == nil || record.Group != request.GetGroupSnapshotId() {
			return nil, status.Errorf(codes.NotFound, "no snapshot %q in group %q", id, request.GetGroupSnapshotId())
		}
		snapshots = append(snapshots, s.controller.snapshotMessage(*record))
	}
	return &csi.GetVolumeGroupSnapshotResponse{GroupSnapshot: groupMessage(request.GetGroupSnapshotId(), snapshots)}, nil
}

func (s *groupServer) DeleteVolumeGroupSnapshot(_ context.Context, request *csi.DeleteVolumeGroupSnapshotRequest) (*csi.DeleteVolumeGroupSnapshotResponse, error) {
	for _, id := range request.GetSnapshotIds() {
		if err := s.controller.deleteSnapshot(id); err != nil {
			return nil, err
		}
	}
	return &csi.DeleteVolumeGroupSnapshotResponse{}, nil
}

// groupMessage: a group is ready when all of it is, and as old as its youngest snapshot.
func groupMessage(id string, snapshots []*csi.Snapshot) *csi.VolumeGroupSnapshot {
	group := &csi.VolumeGroupSnapshot{GroupSnapshotId: id, Snapshots: snapshots, ReadyToUse: true}
	for _, snapshot := range snapshots {
		group.ReadyToUse = group.ReadyToUse && snapshot.GetReadyToUse()
		if group.CreationTime == nil || snapshot.GetCreationTime().AsTime().After(group.GetCreationTime().AsTime()) {
			group.CreationTime = snapshot.GetCreationTime()
		}
	}
	return group
}

func internal(err error) error { return status.Error(codes.Internal, err.Error()) }

// logCalls writes one line for each call that changes something or fails.
func logCalls(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	start := time.Now()
	response, err := handler(ctx, request)
	method := path.Base(info.FullMethod)
	if err == nil && (strings.Contains(method, "Get") || method == "Probe") {
		return response, nil
	}
	outcome := "ok"
	if err != nil {
		outcome = err.Error()
	}
	about := ""
	switch named := request.(type) {
	case interface{ GetName() string }:
		about = named.GetName()
	case interface{ GetSnapshotId() string }:
		about = named.GetSnapshotId()
	case interface{ GetVolumeId() string }:
		about = named.GetVolumeId()
	}
	log.Printf("%s %s %s: %s", method, about, time.Since(start).Round(100*time.Microsecond), outcome)
	if errors.Is(ctx.Err(), context.Canceled) {
		log.Printf("%s %s: the caller had gone away", method, about)
	}
	return response, err
}
