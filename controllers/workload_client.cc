#include "controllers/workload_client.h"

#include <utility>

namespace stillpoint::controllers {

boost::asio::awaitable<api::Result<Workload>> GetWorkload(kube::Client& client, std::string ns,
                                                          WorkloadRef ref) {
  auto object = co_await client.Do({.verb = kube::Verb::kGet,
                                    .resource = ResourceOf(ref.kind),
                                    .ns = std::move(ns),
                                    .name = ref.name});
  if (!object) co_return object.error();
  co_return DecodeWorkload(ref.kind, **object);
}

}  // namespace stillpoint::controllers
