// The sources of credentials: what a kubeconfig holds, a file that is rotated, a program.
#pragma once

#include "kube/clock.h"
#include "kube/config.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::kube {

// Always the same.
[[nodiscard]] std::shared_ptr<CredentialSource> MakeStaticCredentials(Credential credential);

// Paths of what stands in files of its own; empty: it does not.
struct CredentialFiles {
  std::string token;
  std::string certificate;
  std::string key;
};

// Files that somebody else writes anew from time to time, as the kubelet does with the token of a
// service account and cert-manager with a client certificate. Read again every minute, and after
// Invalidate(). While they cannot be read, or the certificate is new and the key still old, what
// was read last is used further, unless the server has refused it.
// `base`: what stands in no file, and a certificate that was read already.
// Lifetime: `clock` must outlive the source.
// Errors: kUnavailable; names the file.
[[nodiscard]] std::shared_ptr<CredentialSource> MakeFileCredentials(CredentialFiles files,
                                                                    Credential base, Clock& clock);

// A token as it stands in a file or in a program's answer: the white space around it taken off.
// Errors: kInvalid when it is empty or could not stand in a header.
[[nodiscard]] api::Result<Sensitive> CleanToken(std::string_view text);

// A program that prints an ExecCredential.
// Contract: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
struct CredentialPlugin {
  std::string api_version;  // client.authentication.k8s.io/v1 or v1beta1
  std::string command;      // a path, or a name that is looked for in PATH
  std::vector<std::string> args;
  std::map<std::string, std::string> env;  // beside the variables of this process
  std::string install_hint;                // shown when there is no such program
  std::string cluster_info;                // JSON for spec.cluster; empty: not asked for
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};
};

// Runs the program when there is no credential, when the one there is has expired, and after
// Invalidate(); once for all who wait. Its terminal is nobody: it must not ask questions.
// Lifetime: `clock` must outlive the source.
// Errors: kUnavailable, kTimeout; what the program wrote to its standard error is part of the
// message, what it wrote to its standard output never is.
[[nodiscard]] std::shared_ptr<CredentialSource> MakeExecCredentials(CredentialPlugin plugin,
                                                                    Clock& clock);

struct ExecCredential {
  Credential credential;
  std::optional<api::Time> expiry;
};

// Errors: kInvalid; never repeats what it could not read.
[[nodiscard]] api::Result<ExecCredential> ParseExecCredential(const std::string& api_version,
                                                              std::string_view text);

}  // namespace stillpoint::kube
