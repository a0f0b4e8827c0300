#include "kube/access.h"

#include "api/codec.h"

#include <fmt/format.h>

#include <utility>

namespace stillpoint::kube {

namespace {

std::string Describe(const api::ResourceAttributes& right, const std::string& reason) {
  std::string resource = right.resource;
  if (!right.group.empty()) resource += "." + right.group;
  if (!right.subresource.empty()) resource += "/" + right.subresource;
  const std::string where =
      right.ns.empty() ? "in all namespaces" : fmt::format("in namespace {}", right.ns);
  return fmt::format("missing right: {} {} {}{}", right.verb, resource, where,
                     reason.empty() ? "" : fmt::format(" ({})", reason));
}

}  // namespace

boost::asio::awaitable<api::Result<std::vector<std::string>>> MissingRights(
    Client& client, std::vector<api::ResourceAttributes> wanted) {
  std::vector<std::string> missing;
  for (const auto& right : wanted) {
    api::SelfSubjectAccessReview question;
    question.spec.resource_attributes = right;
    auto answer = co_await DoAs<api::SelfSubjectAccessReview>(
        client, {.verb = Verb::kCreate, .body = api::Encode(question)});
    if (!answer) co_return answer.error();
    const auto status = answer->status.value_or(api::SubjectAccessReviewStatus{});
    if (!status.allowed) missing.push_back(Describe(right, status.reason));
  }
  co_return missing;
}

}  // namespace stillpoint::kube
