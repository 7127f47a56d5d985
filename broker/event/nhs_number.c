/* Reading NHS numbers. */
#include "broker/event/nhs_number.h"

enum nhs_number_kind nhs_number_read(struct view text, char ret[11])
{
    const char *at = text.data;
    char digits[11] = "";
    size_t count = 0;
    ret[0] = '\0';
    if (text.size == 0 || view_is_text(text, "\"\""))
        return NHS_NUMBER_NONE;
    for (size_t i = 0; i < text.size; i++) {
        if (at[i] == ' ')
            continue;
        if (at[i] < '0' || at[i] > '9' || count == 10)
            return NHS_NUMBER_UNTRUSTED;
        digits[count++] = at[i];
    }
    if (count == 0)
        return NHS_NUMBER_NONE;
    if (count != 10)
        return NHS_NUMBER_UNTRUSTED;
    int sum = 0;
    for (int i = 0; i < 9; i++)
        sum += (digits[i] - '0') * (10 - i);
    int check = 11 - sum % 11;
    if (check == 11)
        check = 0;
    if (check != digits[9] - '0') /* a check of 10 equals no digit */
        return NHS_NUMBER_UNTRUSTED;
    memcpy(ret, digits, sizeof digits);
    return NHS_NUMBER_TRUSTED;
}
