#include "unit/support/test_certificate.h"

namespace stillpoint::unit {

TestCertificate MakeTestAuthority() {
  static int number = 0;
  return sim::MakeAuthority("test authority " + std::to_string(++number));
}

TestCertificate MakeTestCertificate(const TestCertificate& authority,
                                    const std::string& common_name,
                                    const std::string& alternative_names) {
  return sim::MakeCertificate(authority, common_name, "", alternative_names);
}

}  // namespace stillpoint::unit
