/* clonewire-target - receives a disk from a clonewire-source. */
#include <stdio.h>

#include "clonewire-target/options.h"
#include "clonewire-target/pairing_offer.h"
#include "output/report.h"
#include "program/confirm_overwrite.h"
#include "program/program.h"

static int plan(struct process *process, const struct target_config *config)
{
    struct cw_error error = { 0 };
    struct cw_plan answer;

    if (config->source_bytes == 0)
        return process_misused(process, "--plan needs --source-size "
                                        "(CLONEWIRE_SOURCE_SIZE)");
    if (cw_target_plan(&config->options, config->source_bytes, &answer,
                       &error) == 0) {
        answer_plan(&answer, NULL, config->json, stdout);
        return 0;
    }
    if (answer.space.need_bytes != 0)
        answer_plan(&answer, &error, config->json, stdout);
    return process_fail(process, &error);
}

static int print_digest(struct process *process,
                        const struct target_config *config)
{
    struct cw_error error = { 0 };
    char text[CW_DIGEST_CHARS];

    if (cw_target_digest(&config->options, config->digest, text, &error) < 0)
        return process_fail(process, &error);
    printf("%s\n", text);
    return 0;
}

static int check_receipt(struct process *process, struct target_config *config)
{
    struct cw_receipt receipt;
    struct cw_error error;

    if (cw_target_check_receipt(&config->options, config->check_receipt,
                                answer_difference, &config->json, &receipt,
                                &error) < 0)
        return process_fail(process, &error);
    answer_receipt(&receipt, config->options.destination, config->json, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct target_config config = { 0 };
    struct cw_error error = { 0 };
    struct offer offer = { 0 };
    struct process process;
    struct cw_job *job;
    struct error err;
    int status;

    (void)argc;
    status = process_open(&process, "target", &target_program, argv, &config,
                          &config.output);
    if (status != PROCESS_GO_ON)
        return status;
    options_settle(&config);

    if (config.doctor)
        return answer_doctor(config.options.destination, config.json, stdout);
    if (!config.options.destination)
        return process_misused(&process, "DEST (CLONEWIRE_DEST) is missing, "
                                         "try --help");
    if (config.plan)
        return plan(&process, &config);
    if (config.digest_only)
        return print_digest(&process, &config);
    if (config.check_receipt)
        return check_receipt(&process, &config);
    if (config.options.security.http && !config.options.security.cert_file)
        return process_misused(&process,
                               "--http (CLONEWIRE_HTTP) needs --cert, "
                               "--key and --ca: by HTTP there is no "
                               "other identity");
    process_get_events(&process, &config.options.events);
    if (offer_make(&offer, &process, &config.options, &error) < 0)
        return process_fail(&process, &error);
    config.options.only_resume = !config.yes &&
                                 cw_target_is_begun(&config.options);
    job = cw_target_open(&config.options, &error);
    if (job && !config.options.only_resume &&
        consent_get(&process, &config.options, config.yes, &err) < 0) {
        cw_close(job);
        status = process_refused(&process, &err);
    } else {
        status = process_run(&process, job, &error);
    }
    offer_wipe(&offer);
    return status;
}
