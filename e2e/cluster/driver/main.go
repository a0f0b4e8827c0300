// Command btrfs-csi is a CSI driver for one node, for end-to-end tests only.
//
// A volume is a btrfs subvolume and a snapshot a read-only btrfs snapshot of it: the cut is real,
// atomic and takes milliseconds. All state is below -root, which must be on btrfs:
//
//	volumes/   one subvolume per volume
//	snapshots/ one read-only subvolume per snapshot
//	records/   what the driver has to remember of each of them (JSON)
//	cuts/      when each snapshot was really cut: cuts/NAMESPACE/NAME.json, kept after its deletion
//	KNOB       faults that a test switches on and off while the driver runs, see knobs.go
package main

import (
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const driverName = "btrfs.csi.test"

func main() {
	root := flag.String("root", "", "directory on btrfs that holds everything")
	nodeID := flag.String("node", "", "name of this node")
	endpoint := flag.String("endpoint", "", "socket of the CSI services")
	registrationSocket := flag.String("registration", "", "socket that the kubelet asks who we are")
	flag.Parse()
	log.SetFlags(log.LstdFlags | log.Lmicroseconds)
	if *root == "" || *nodeID == "" || *endpoint == "" || *registrationSocket == "" {
		log.Fatal("-root, -node, -endpoint and -registration are all needed")
	}

	st, err := openStore(*root)
	if err != nil {
		log.Fatal(err)
	}
	controller := &controllerServer{store: st, knobs: knobs{dir: *root}}

	services := grpc.NewServer(grpc.UnaryInterceptor(logCalls))
	csi.RegisterIdentityServer(services, &identityServer{})
	csi.RegisterControllerServer(services, controller)
	csi.RegisterGroupControllerServer(services, &groupServer{controller: controller})
	csi.RegisterNodeServer(services, &nodeServer{store: st, nodeID: *nodeID})

	registrar := grpc.NewServer()
	registration.RegisterRegistrationServer(registrar, &registrationServer{endpoint: *endpoint})

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		registrar.Stop()
		services.Stop()
	}()

	listener := listen(*endpoint)
	go serve(registrar, listen(*registrationSocket))
	serve(services, listener)
}

func listen(socket string) net.Listener {
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func serve(server *grpc.Server, listener net.Listener) {
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
