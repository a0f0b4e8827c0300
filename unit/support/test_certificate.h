// TestCertificate: certificates made on the spot, so that no test has keys in its source and none
// expires.
#pragma once

#include "sim/certificate/certificate.h"

#include <string>

namespace stillpoint::unit {

using TestCertificate = sim::KeyPair;

// A certificate authority that nobody else has.
[[nodiscard]] TestCertificate MakeTestAuthority();

// A certificate for `common_name`, signed by `authority`. `alternative_names` as OpenSSL has them:
// "DNS:localhost,IP:127.0.0.1"; empty for a client's.
[[nodiscard]] TestCertificate MakeTestCertificate(const TestCertificate& authority,
                                                  const std::string& common_name,
                                                  const std::string& alternative_names);

}  // namespace stillpoint::unit
