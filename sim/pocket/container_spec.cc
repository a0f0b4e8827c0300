#include "sim/pocket/container_spec.h"

#include "sim/pocket/json_path.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

const json::object* FindContainer(const json::object& pod, const std::string& name) {
  for (const auto* container : FindAll(pod, ".spec.containers[*]")) {
    if (TextAt(container->as_object(), ".name") == name) return &container->get_object();
  }
  return nullptr;
}

// "$(NAME)" becomes what the environment says; an unknown name stays.
std::string Expand(const std::string& text, const std::map<std::string, std::string>& values) {
  std::string expanded;
  std::size_t at = 0;
  while (true) {
    const auto open = text.find("$(", at);
    const auto close = open == std::string::npos ? open : text.find(')', open);
    if (close == std::string::npos) return expanded + text.substr(at);
    const auto found = values.find(text.substr(open + 2, close - open - 2));
    expanded += text.substr(at, open - at);
    expanded += found == values.end() ? text.substr(open, close + 1 - open) : found->second;
    at = close + 1;
  }
}

std::vector<std::string> Texts(const json::object& object, std::string_view path) {
  std::vector<std::string> texts;
  for (const auto* value : FindAll(object, path)) {
    if (value->is_string()) texts.emplace_back(value->get_string());
  }
  return texts;
}

// One env entry with valueFrom.
api::Result<std::string> ValueFrom(const json::object& entry, const PodSandbox& sandbox,
                                   const TextSource& texts) {
  for (const auto& [member, kind] :
       {std::pair{"secretKeyRef", "Secret"}, std::pair{"configMapKeyRef", "ConfigMap"}}) {
    const auto path = fmt::format(".valueFrom.{}", member);
    if (!FindFirst(entry, path)) continue;
    const std::string name = TextAt(entry, path + ".name");
    const std::string key = TextAt(entry, path + ".key");
    const auto all = texts(kind, name);
    const auto found = all.find(key);
    if (found == all.end()) return Invalid(fmt::format("{} {} has no key {}", kind, name, key));
    return found->second;
  }
  return TextAt(sandbox.pod, "." + TextAt(entry, ".valueFrom.fieldRef.fieldPath"));
}

api::Result<void> AddEnvironment(const json::object& container, const PodSandbox& sandbox,
                                 const TextSource& texts, ContainerSpec& spec) {
  for (const auto* source : FindAll(container, ".envFrom[*]")) {
    for (const auto& [member, kind] :
         {std::pair{".secretRef.name", "Secret"}, std::pair{".configMapRef.name", "ConfigMap"}}) {
      const std::string name = TextAt(source->as_object(), member);
      if (!name.empty()) spec.environment.merge(texts(kind, name));
    }
  }
  for (const auto* value : FindAll(container, ".env[*]")) {
    const json::object& entry = value->as_object();
    if (!FindFirst(entry, ".valueFrom")) {
      spec.environment[TextAt(entry, ".name")] = Expand(TextAt(entry, ".value"), spec.environment);
      continue;
    }
    auto text = ValueFrom(entry, sandbox, texts);
    if (!text) return text.error();
    spec.environment[TextAt(entry, ".name")] = std::move(*text);
  }
  return {};
}

api::Result<void> AddMounts(const json::object& container, const PodSandbox& sandbox,
                            ContainerSpec& spec) {
  const std::vector<std::string> empty_dirs = EmptyDirs(sandbox.pod);
  for (const auto* value : FindAll(container, ".volumeMounts[*]")) {
    const json::object& wish = value->as_object();
    ContainerMount mount{.volume = TextAt(wish, ".name"), .sub_path = TextAt(wish, ".subPath")};
    const auto claim = sandbox.volumes.find(mount.volume);
    if (claim != sandbox.volumes.end()) {
      mount.handle = claim->second;
    } else if (std::ranges::find(empty_dirs, mount.volume) == empty_dirs.end()) {
      continue;
    }
    const std::filesystem::path sub_path(mount.sub_path);
    if (sub_path.is_absolute() || std::ranges::find(sub_path, "..") != sub_path.end()) {
      return Invalid(fmt::format("subPath {} leads out of its volume", mount.sub_path));
    }
    spec.mounts[TextAt(wish, ".mountPath")] = std::move(mount);
  }
  return {};
}

}  // namespace

std::vector<std::string> EmptyDirs(const json::object& pod) {
  std::vector<std::string> names;
  for (const auto* value : FindAll(pod, ".spec.volumes[*]")) {
    const json::object& volume = value->as_object();
    if (volume.contains("emptyDir")) names.push_back(TextAt(volume, ".name"));
  }
  return names;
}

api::Result<ContainerSpec> ReadContainerSpec(const PodSandbox& sandbox,
                                             const std::string& container,
                                             const TextSource& texts) {
  const auto* found = FindContainer(sandbox.pod, container);
  if (!found) return Invalid(fmt::format("pod {} has no container {}", sandbox.name, container));
  ContainerSpec spec{.name = container, .working_directory = TextAt(*found, ".workingDir")};
  if (auto added = AddEnvironment(*found, sandbox, texts, spec); !added) return added.error();
  for (const char* part : {".command[*]", ".args[*]"}) {
    for (const auto& word : Texts(*found, part)) {
      spec.argv.push_back(Expand(word, spec.environment));
    }
  }
  if (Texts(*found, ".command[*]").empty()) {
    return Invalid("there are no images here: a container needs a command");
  }
  if (auto mounted = AddMounts(*found, sandbox, spec); !mounted) return mounted.error();
  spec.probe = Texts(*found, ".readinessProbe.exec.command[*]");
  const auto* period = FindFirst(*found, ".readinessProbe.periodSeconds");
  spec.probe_period = std::chrono::seconds(period && period->is_int64() ? period->get_int64() : 10);
  return spec;
}

}  // namespace stillpoint::sim::pocket
