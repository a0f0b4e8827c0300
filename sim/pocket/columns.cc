#include "sim/pocket/columns.h"

#include "api/time.h"
#include "sim/pocket/json_path.h"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using std::chrono::seconds;

namespace {

std::int64_t NumberAt(const json::object& object, std::string_view path, std::int64_t absent = 0) {
  const auto* value = FindFirst(object, path);
  return value && value->is_int64() ? value->get_int64() : absent;
}

std::size_t CountAt(const json::object& object, std::string_view path) {
  const auto* value = FindFirst(object, path);
  return value && value->is_array() ? value->get_array().size() : 0;
}

std::string AgeOf(const std::string& instant, api::Time now) {
  if (instant.empty()) return "<unknown>";
  const auto parsed = api::ParseTime(instant);
  if (!parsed) return "<invalid>";
  return HumanDuration(std::chrono::floor<seconds>(now - *parsed));
}

std::string OrNone(std::string text) {
  return text.empty() ? "<none>" : text;
}

// "a=1,b=2" of a map of texts.
std::string Pairs(const json::object& object, std::string_view path) {
  const auto* map = FindFirst(object, path);
  std::string text;
  if (map && map->is_object()) {
    for (const auto& [key, value] : map->get_object()) {
      if (!value.is_string()) continue;
      text += fmt::format("{}{}={}", text.empty() ? "" : ",", std::string_view(key),
                          std::string_view(value.get_string()));
    }
  }
  return OrNone(text);
}

// The texts at `path`, joined by commas.
std::string Joined(const json::object& object, std::string_view path) {
  std::string text;
  for (const json::value* value : FindAll(object, path)) {
    if (!value->is_string()) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ",", std::string_view(value->get_string()));
  }
  return OrNone(text);
}

// ---- makers of columns ------------------------------------------------------------------------

Column Name() {
  return {.name = "Name", .format = "name", .cell = [](const json::object& object, api::Time) {
            return json::value(TextAt(object, ".metadata.name"));
          }};
}

Column Age() {
  return {.name = "Age", .cell = [](const json::object& object, api::Time now) {
            return json::value(AgeOf(TextAt(object, ".metadata.creationTimestamp"), now));
          }};
}

Column Text(std::string name, std::string path, int priority = 0, std::string absent = "") {
  return {.name = std::move(name),
          .priority = priority,
          .cell = [path = std::move(path), absent = std::move(absent)](const json::object& object,
                                                                       api::Time) {
            const std::string text = TextAt(object, path);
            return json::value(text.empty() ? absent : text);
          }};
}

Column Computed(std::string name, std::string (*text)(const json::object&), int priority = 0) {
  return {
      .name = std::move(name),
      .priority = priority,
      .cell = [text](const json::object& object, api::Time) { return json::value(text(object)); }};
}

Column Number(std::string name, std::string path, std::int64_t absent = 0) {
  return {.name = std::move(name),
          .type = "integer",
          .cell = [path = std::move(path), absent](const json::object& object, api::Time) {
            return json::value(NumberAt(object, path, absent));
          }};
}

Column Count(std::string name, std::string path) {
  return {.name = std::move(name),
          .type = "integer",
          .cell = [path = std::move(path)](const json::object& object, api::Time) {
            return json::value(CountAt(object, path));
          }};
}

// ---- cells ------------------------------------------------------------------------------------

std::string PodReady(const json::object& pod) {
  std::size_t ready = 0;
  for (const json::value* value : FindAll(pod, ".status.containerStatuses[*].ready")) {
    ready += value->is_bool() && value->get_bool() ? 1 : 0;
  }
  return fmt::format("{}/{}", ready, CountAt(pod, ".spec.containers"));
}

std::string PodStatus(const json::object& pod) {
  if (!TextAt(pod, ".metadata.deletionTimestamp").empty()) return "Terminating";
  for (const char* state : {"waiting", "terminated"}) {
    const std::string reason =
        Joined(pod, fmt::format(".status.containerStatuses[*].state.{}.reason", state));
    if (reason != "<none>") return reason.substr(0, reason.find(','));
  }
  const std::string phase = TextAt(pod, ".status.phase");
  return phase.empty() ? "Pending" : phase;
}

std::string PodRestarts(const json::object& pod) {
  std::int64_t restarts = 0;
  for (const json::value* value : FindAll(pod, ".status.containerStatuses[*].restartCount")) {
    if (value->is_int64()) restarts += value->get_int64();
  }
  return std::to_string(restarts);
}

std::string ReadyOfWanted(const json::object& workload) {
  return fmt::format("{}/{}", NumberAt(workload, ".status.readyReplicas"),
                     NumberAt(workload, ".spec.replicas", 1));
}

std::string AccessModes(const json::object& object) {
  static const std::map<std::string, std::string, std::less<>> kShort{{"ReadWriteOnce", "RWO"},
                                                                      {"ReadOnlyMany", "ROX"},
                                                                      {"ReadWriteMany", "RWX"},
                                                                      {"ReadWriteOncePod", "RWOP"}};
  std::string text;
  for (const json::value* mode : FindAll(object, ".spec.accessModes[*]")) {
    const auto found = mode->is_string() ? kShort.find(mode->get_string()) : kShort.end();
    if (found != kShort.end()) text += (text.empty() ? "" : ",") + found->second;
  }
  return text;
}

std::string ClaimStatus(const json::object& claim) {
  if (!TextAt(claim, ".metadata.deletionTimestamp").empty()) return "Terminating";
  return TextAt(claim, ".status.phase");
}

std::string ClaimOfVolume(const json::object& volume) {
  const std::string name = TextAt(volume, ".spec.claimRef.name");
  return name.empty() ? "" : fmt::format("{}/{}", TextAt(volume, ".spec.claimRef.namespace"), name);
}

std::string ClassName(const json::object& object) {
  const bool is_default =
      TextAt(object, R"(.metadata.annotations.storageclass\.kubernetes\.io/is-default-class)") ==
      "true";
  return TextAt(object, ".metadata.name") + (is_default ? " (default)" : "");
}

std::string BooleanText(const json::object& object, std::string_view path) {
  const auto* value = FindFirst(object, path);
  return value && value->is_bool() ? (value->get_bool() ? "true" : "false") : "";
}

std::string SnapshotReady(const json::object& object) {
  return BooleanText(object, ".status.readyToUse");
}

std::string SelectorText(const json::object& workload) {
  return Pairs(workload, ".spec.selector.matchLabels");
}
std::string ContainerNames(const json::object& workload) {
  return Joined(workload, ".spec.template.spec.containers[*].name");
}
std::string ContainerImages(const json::object& workload) {
  return Joined(workload, ".spec.template.spec.containers[*].image");
}

std::string NodeStatus(const json::object& node) {
  return TextAt(node, R"(.status.conditions[?(@.type=="Ready")].status)") == "True" ? "Ready"
                                                                                    : "NotReady";
}

// "deployment/shop", as the involved object of an Event is shown.
std::string EventObject(const json::object& event) {
  const std::string kind = TextAt(event, ".regarding.kind") + TextAt(event, ".involvedObject.kind");
  std::string lower = kind;
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return fmt::format("{}/{}", lower,
                     TextAt(event, ".regarding.name") + TextAt(event, ".involvedObject.name"));
}

Column EventAge() {
  return {.name = "Last Seen", .cell = [](const json::object& event, api::Time now) {
            for (const char* path : {".series.lastObservedTime", ".lastTimestamp", ".eventTime",
                                     ".deprecatedLastTimestamp", ".metadata.creationTimestamp"}) {
              if (auto text = TextAt(event, path); !text.empty()) {
                return json::value(AgeOf(text, now));
              }
            }
            return json::value("<unknown>");
          }};
}

Column EventMessage() {
  return {.name = "Message", .cell = [](const json::object& event, api::Time) {
            return json::value(TextAt(event, ".note") + TextAt(event, ".message"));
          }};
}

// ---- kinds ------------------------------------------------------------------------------------

std::vector<Column> WorkloadTail() {
  return {Age(), Computed("Containers", ContainerNames, 1), Computed("Images", ContainerImages, 1),
          Computed("Selector", SelectorText, 1)};
}

std::vector<Column> With(std::vector<Column> columns, std::vector<Column> tail) {
  std::ranges::move(tail, std::back_inserter(columns));
  return columns;
}

using Table = std::map<std::string_view, std::vector<Column>>;

Table CoreColumns() {
  return {
      {"pods",
       {Name(), Computed("Ready", PodReady), Computed("Status", PodStatus),
        Computed("Restarts", PodRestarts), Age(), Text("IP", ".status.podIP", 1, "<none>"),
        Text("Node", ".spec.nodeName", 1, "<none>")}},
      {"persistentvolumeclaims",
       {Name(), Computed("Status", ClaimStatus), Text("Volume", ".spec.volumeName"),
        Text("Capacity", ".status.capacity.storage"), Computed("Access Modes", AccessModes),
        Text("StorageClass", ".spec.storageClassName"), Age(),
        Text("VolumeMode", ".spec.volumeMode", 1, "Filesystem")}},
      {"persistentvolumes",
       {Name(), Text("Capacity", ".spec.capacity.storage"), Computed("Access Modes", AccessModes),
        Text("Reclaim Policy", ".spec.persistentVolumeReclaimPolicy"),
        Text("Status", ".status.phase"), Computed("Claim", ClaimOfVolume),
        Text("StorageClass", ".spec.storageClassName"), Age()}},
      {"namespaces", {Name(), Text("Status", ".status.phase", 0, "Active"), Age()}},
      {"nodes",
       {Name(), Computed("Status", NodeStatus), Text("Version", ".status.nodeInfo.kubeletVersion"),
        Age()}},
      {"secrets", {Name(), Text("Type", ".type", 0, "Opaque"), Count("Data", ".data"), Age()}},
      {"events",
       {EventAge(), Text("Type", ".type"), Text("Reason", ".reason"),
        Computed("Object", EventObject), EventMessage()}},
  };
}

Table OtherColumns() {
  return {
      {"deployments", With({Name(), Computed("Ready", ReadyOfWanted),
                            Number("Up-to-date", ".status.updatedReplicas"),
                            Number("Available", ".status.availableReplicas")},
                           WorkloadTail())},
      {"statefulsets", {Name(), Computed("Ready", ReadyOfWanted), Age()}},
      {"replicasets",
       With({Name(), Number("Desired", ".spec.replicas", 1), Number("Current", ".status.replicas"),
             Number("Ready", ".status.readyReplicas")},
            WorkloadTail())},
      {"daemonsets", With({Name(), Number("Desired", ".status.desiredNumberScheduled"),
                           Number("Current", ".status.currentNumberScheduled"),
                           Number("Ready", ".status.numberReady")},
                          WorkloadTail())},
      {"leases", {Name(), Text("Holder", ".spec.holderIdentity"), Age()}},
      {"storageclasses",
       {Computed("Name", ClassName), Text("Provisioner", ".provisioner"),
        Text("ReclaimPolicy", ".reclaimPolicy", 0, "Delete"),
        Text("VolumeBindingMode", ".volumeBindingMode", 0, "Immediate"), Age()}},
      {"volumesnapshots",
       {Name(), Computed("ReadyToUse", SnapshotReady),
        Text("SourcePVC", ".spec.source.persistentVolumeClaimName"),
        Text("RestoreSize", ".status.restoreSize"),
        Text("SnapshotClass", ".spec.volumeSnapshotClassName"),
        Text("SnapshotContent", ".status.boundVolumeSnapshotContentName"), Age()}},
      {"volumesnapshotcontents",
       {Name(), Computed("ReadyToUse", SnapshotReady),
        Text("DeletionPolicy", ".spec.deletionPolicy"), Text("Driver", ".spec.driver"),
        Text("VolumeSnapshotClass", ".spec.volumeSnapshotClassName"),
        Text("VolumeSnapshot", ".spec.volumeSnapshotRef.name"), Age()}},
      {"volumesnapshotclasses",
       {Name(), Text("Driver", ".driver"), Text("DeletionPolicy", ".deletionPolicy"), Age()}},
  };
}

// A cell of a CRD's column: dates as ages, what is no scalar as JSON.
json::value CustomCell(const json::object& object, const std::string& path, bool date,
                       api::Time now) {
  const auto* value = FindFirst(object, path);
  if (!value) return nullptr;
  if (date && value->is_string()) return json::value(AgeOf(std::string(value->get_string()), now));
  if (value->is_object() || value->is_array()) return json::value(json::serialize(*value));
  return *value;
}

}  // namespace

std::string HumanDuration(seconds duration) {
  const auto s = duration.count();
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  const auto m = s / 60, h = m / 60, d = h / 24, y = d / 365;
  const auto two = [](auto whole, char unit, auto part, char part_unit) {
    return part == 0 ? fmt::format("{}{}", whole, unit)
                     : fmt::format("{}{}{}{}", whole, unit, part, part_unit);
  };
  if (s < 120) return fmt::format("{}s", s);
  if (m < 10) return two(m, 'm', s % 60, 's');
  if (m < 180) return fmt::format("{}m", m);
  if (h < 8) return two(h, 'h', m % 60, 'm');
  if (h < 48) return fmt::format("{}h", h);
  if (h < 192) return two(d, 'd', h % 24, 'h');
  if (d < 730) return fmt::format("{}d", d);
  if (y < 8) return two(y, 'y', d % 365, 'd');
  return fmt::format("{}y", y);
}

std::vector<Column> BuiltInColumns(const api::Resource& resource) {
  static const Table kCore = CoreColumns();
  static const Table kOther = OtherColumns();
  for (const Table* table : {&kCore, &kOther}) {
    if (const auto found = table->find(resource.plural); found != table->end()) {
      return found->second;
    }
  }
  return {Name(), Age()};
}

std::vector<Column> CustomColumns(const json::array& printer_columns) {
  std::vector<Column> columns{Name()};
  for (const json::value& entry : printer_columns) {
    const json::object& column = entry.as_object();
    const std::string type = TextAt(column, ".type");
    columns.push_back({.name = TextAt(column, ".name"),
                       .type = type == "date" ? "string" : type,
                       .priority = static_cast<int>(NumberAt(column, ".priority")),
                       .cell = [path = TextAt(column, ".jsonPath"), date = type == "date"](
                                   const json::object& object, api::Time now) {
                         return CustomCell(object, path, date, now);
                       }});
  }
  return columns;
}

}  // namespace stillpoint::sim::pocket
