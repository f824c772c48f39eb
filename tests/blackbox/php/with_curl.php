<?php
// A client with PHP's curl extension.
declare(strict_types=1);

require __DIR__ . '/asking.php';

answer_all(function (array $ask): array {
    $lines = [];
    $headers = $ask['authorization'] ? ["Authorization: {$ask['authorization']}"] : [];
    $curl = curl_init($ask['target']);
    if ($ask['document'] !== null) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($ask['document']));
        if ($ask['body'] !== 'json_as_form') {
            $headers[] = 'Content-Type: application/json';
        }
    } elseif ($ask['form'] !== null) {
        $is_multipart = $ask['body'] === 'multipart';
        curl_setopt($curl, CURLOPT_POSTFIELDS, $is_multipart ? written_out($ask['form']) : http_build_query($ask['form']));
    }
    if ($ask['pair']) {
        curl_setopt($curl, CURLOPT_USERPWD, implode(':', $ask['pair']));
    }
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $ask['method'],
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
        CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$lines): int {
            $lines[] = $line;
            return strlen($line);
        },
    ]);
    $body = curl_exec($curl);
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), read_headers($lines), $body];
});
