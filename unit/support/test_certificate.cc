#include "unit/support/test_certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace stillpoint::unit {

namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

void Check(bool good) {
  if (!good) throw std::runtime_error("OpenSSL could not make a certificate");
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

BioPtr Reader(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

void AddExtension(X509* certificate, int kind, const std::string& value) {
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  Check(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Serial numbers and the names of authorities differ, as OpenSSL finds certificates by them.
long NextNumber() {
  static long number = 0;
  return ++number;
}

CertificatePtr Draft(const std::string& common_name, EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), NextNumber());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  return certificate;
}

TestCertificate Seal(X509* certificate, EVP_PKEY* key, EVP_PKEY* signer) {
  Check(X509_sign(certificate, signer, EVP_sha256()) > 0);
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  const BioPtr key_pem(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_X509(certificate_pem.get(), certificate) == 1);
  Check(PEM_write_bio_PrivateKey(key_pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return {Text(certificate_pem.get()), Text(key_pem.get())};
}

}  // namespace

TestCertificate MakeTestAuthority() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate =
      Draft("test authority " + std::to_string(NextNumber()), key.get());
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate.get(), NID_key_usage, "critical,keyCertSign");
  return Seal(certificate.get(), key.get(), key.get());
}

TestCertificate MakeTestCertificate(const TestCertificate& authority,
                                    const std::string& common_name,
                                    const std::string& alternative_names) {
  const CertificatePtr issuer(
      PEM_read_bio_X509(Reader(authority.certificate_pem).get(), nullptr, nullptr, nullptr));
  const KeyPtr signer(
      PEM_read_bio_PrivateKey(Reader(authority.key_pem).get(), nullptr, nullptr, nullptr));
  Check(issuer && signer);
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate = Draft(common_name, key.get());
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  if (!alternative_names.empty()) {
    AddExtension(certificate.get(), NID_subject_alt_name, alternative_names);
  }
  return Seal(certificate.get(), key.get(), signer.get());
}

}  // namespace stillpoint::unit
