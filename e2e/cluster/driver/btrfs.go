package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

// The ioctls of linux/btrfs.h. They are called directly, and not through the btrfs command, so that
// the instants before and after the cut are close to the cut.
const (
	ioctlSubvolumeCreate  = 0x5000940e // BTRFS_IOC_SUBVOL_CREATE
	ioctlSnapshotCreateV2 = 0x50009417 // BTRFS_IOC_SNAP_CREATE_V2
	ioctlSnapshotDestroy  = 0x5000940f // BTRFS_IOC_SNAP_DESTROY

	subvolumeReadOnly = 1 << 1 // BTRFS_SUBVOL_RDONLY
)

// struct btrfs_ioctl_vol_args
type volumeArgs struct {
	fd   int64
	name [4088]byte
}

// struct btrfs_ioctl_vol_args_v2
type volumeArgsV2 struct {
	fd      int64
	transid uint64
	flags   uint64
	unused  [4]uint64
	name    [4040]byte
}

func createSubvolume(path string) error {
	var args volumeArgs
	copy(args.name[:], filepath.Base(path))
	return subvolumeIoctl(path, ioctlSubvolumeCreate, unsafe.Pointer(&args))
}

// createSnapshot makes path a snapshot of the subvolume source. Data written to source before is in
// it, also if the page cache still holds it.
func createSnapshot(source, path string, readOnly bool) error {
	src, err := os.Open(source)
	if err != nil {
		return err
	}
	defer src.Close()
	args := volumeArgsV2{fd: int64(src.Fd())}
	if readOnly {
		args.flags = subvolumeReadOnly
	}
	copy(args.name[:], filepath.Base(path))
	return subvolumeIoctl(path, ioctlSnapshotCreateV2, unsafe.Pointer(&args))
}

// destroySubvolume is idempotent.
func destroySubvolume(path string) error {
	if !exists(path) {
		return nil
	}
	var args volumeArgs
	copy(args.name[:], filepath.Base(path))
	return subvolumeIoctl(path, ioctlSnapshotDestroy, unsafe.Pointer(&args))
}

// subvolumeIoctl calls the ioctl on the directory that holds path.
func subvolumeIoctl(path string, request uintptr, args unsafe.Pointer) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, dir.Fd(), request, uintptr(args)); errno != 0 {
		return fmt.Errorf("btrfs ioctl %#x on %s: %w", request, path, errno)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
